"""Level 2: the Python package, without Ray, vLLM or a cluster."""
