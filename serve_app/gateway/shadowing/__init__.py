"""Shadow copies of requests, and the comparison of their answers."""
