"""Endpoints off the hot path, served by FastAPI."""
