"""When a request's turn comes: limits on what a model is asked at once."""
