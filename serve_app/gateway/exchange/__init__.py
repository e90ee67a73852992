"""One request: who asks, where it goes, what is sent back, and what is known of it in the end."""
