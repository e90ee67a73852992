"""Requests to models: connections, attempts, repeats."""
