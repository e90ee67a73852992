"""Kind `rag`: find documents, and have a model answer from them."""
