"""Documents: OpenAI's files and vector stores, reached through the gateway and by pipelines.

The gateway authenticates clients and forwards `/v1/files` and `/v1/vector_stores` with who they are in headers;
pipelines search the same way. Whoever has the shared token is believed.
"""
