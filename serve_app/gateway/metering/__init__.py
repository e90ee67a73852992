"""What a request cost: tokens and their price."""
