"""Offline batches: a model over the rows of files, on Ray Data, resumed by the parts that are written.

Ray and vLLM are imported in `processor` only, and pyarrow, which comes with Ray, in what touches files.
"""
