"""HTTP on the client's side: connections, request bodies, disconnects, shutdown."""
