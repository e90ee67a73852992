"""`/v1/batches` as OpenAI has it."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Row

from serve_app.data.batches.records import Batches
from serve_app.data.caller import Authenticated
from serve_app.data.database import Page
from serve_app.data.errors import ApiError
from serve_app.data.files.records import Files
from serve_app.data.lists import listed
from serve_app.data.stores.schemas import FileId, Metadata, Request

_TIMES = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")


class CreateBatch(Request):
    """POST /v1/batches."""

    input_file_id: FileId
    endpoint: Literal["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"]
    completion_window: Literal["24h"]
    metadata: Metadata | None = None


def router(batches: Batches, files: Files) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/batches", tags=["batches"])

    async def show(rows: list[Row[Any]]) -> list[dict[str, Any]]:
        counts = await batches.counts([row.id for row in rows])
        return [shown(row, *counts[row.id]) for row in rows]

    @routes.post("")
    async def create(asked: CreateBatch, caller: Authenticated) -> dict[str, Any]:
        file = await files.get(caller, asked.input_file_id)
        if file.purpose != "batch":
            message = f"input_file_id: is a file for {file.purpose}, upload it with the purpose batch."
            raise ApiError(HTTPStatus.BAD_REQUEST, message, param="input_file_id")
        return (await show([await batches.create(caller, asked.endpoint, file.id, asked.metadata or {})]))[0]

    @routes.get("")
    async def list_batches(
        caller: Authenticated, limit: Annotated[int, Query(ge=1, le=100)] = 20, after: str | None = None
    ) -> dict[str, Any]:
        mark = await batches.get(caller, after) if after else None
        return listed(await show(await batches.page(caller, Page("desc", limit, mark))), limit)

    @routes.get("/{batch_id}")
    async def retrieve(batch_id: str, caller: Authenticated) -> dict[str, Any]:
        return (await show([await batches.get(caller, batch_id)]))[0]

    @routes.post("/{batch_id}/cancel")
    async def cancel(batch_id: str, caller: Authenticated) -> dict[str, Any]:
        return (await show([await batches.cancel(caller, batch_id)]))[0]

    return routes


def shown(row: Row[Any], completed: int, failed: int) -> dict[str, Any]:
    """OpenAI's batch object."""
    return {
        "id": row.id,
        "object": "batch",
        "endpoint": row.endpoint,
        "errors": {"object": "list", "data": row.errors} if row.errors else None,
        "input_file_id": row.input_file_id,
        "completion_window": "24h",
        "status": row.status,
        "output_file_id": row.output_file_id,
        "error_file_id": row.error_file_id,
        "created_at": row.created_ms // 1000,
        "expires_at": row.expires_ms // 1000,
        **{f"{status}_at": row.times.get(status) for status in _TIMES},
        "request_counts": {"total": row.total, "completed": completed, "failed": failed},
        "metadata": row.metadata or None,
    }
