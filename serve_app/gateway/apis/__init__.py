"""What clients may ask: paths, bodies, errors in their own shape."""
