"""Stores, their files and batches as OpenAI shows them."""

from typing import Any

from sqlalchemy import Row

from serve_app.data.stores.documents import SHOWN
from serve_app.data.stores.records import Counts, expires_ms


def store(row: Row[Any], counts: Counts, usage_bytes: int) -> dict[str, Any]:
    """A `vector_store`; `description`, `embedding_model` and `dimensions` are ours."""
    expires = expires_ms(row)
    return {
        "id": row.id,
        "object": "vector_store",
        "created_at": row.created_ms // 1000,
        "name": row.name,
        "description": row.description or None,
        "usage_bytes": usage_bytes,
        "file_counts": file_counts(counts),
        "status": "in_progress" if counts.get("in_progress") else "completed",
        "expires_after": None if row.expires_days is None else {"anchor": "last_active_at", "days": row.expires_days},
        "expires_at": None if expires is None else expires // 1000,
        "last_active_at": row.active_ms // 1000,
        "metadata": row.metadata,
        "embedding_model": row.embed,
        "dimensions": row.dimensions,
    }


def file_counts(counts: Counts) -> dict[str, int]:
    """OpenAI's `file_counts`."""
    shown = {status: counts.get(status, 0) for status in SHOWN}
    return {**shown, "total": sum(shown.values())}


def file(row: Row[Any]) -> dict[str, Any]:
    """A `vector_store.file`."""
    error = {"code": row.error_code, "message": row.error_message} if row.error_code else None
    static = {"max_chunk_size_tokens": row.max_tokens, "chunk_overlap_tokens": row.overlap_tokens}
    return {
        "id": row.file_id,
        "object": "vector_store.file",
        "created_at": row.created_ms // 1000,
        "vector_store_id": row.store_id,
        "usage_bytes": row.usage_bytes,
        "status": row.status,
        "last_error": error,
        "chunking_strategy": {"type": "static", "static": static},
        "attributes": row.attributes,
        "filename": row.filename,
    }


def batch(row: Row[Any], counts: Counts) -> dict[str, Any]:
    """A `vector_store.files_batch`."""
    status = "completed"
    if row.cancelled:
        status = "cancelled"
    elif counts.get("in_progress"):
        status = "in_progress"
    elif counts.get("failed") and not counts.get("completed"):
        status = "failed"
    return {
        "id": row.id,
        "object": "vector_store.files_batch",
        "created_at": row.created_ms // 1000,
        "vector_store_id": row.store_id,
        "status": status,
        "file_counts": file_counts(counts),
    }
