"""When a request's turn comes: queues in front of models, and what keeps the waiting alive."""
