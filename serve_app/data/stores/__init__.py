"""Vector stores: what is known of them and of their files, `/v1/vector_stores`, and search."""
