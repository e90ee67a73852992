"""Files: their bytes, what is known of them, and `/v1/files`."""
