"""`/v1/vector_stores/{id}/files` and `/file_batches` as OpenAI has them."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from serve_app.data.caller import Authenticated
from serve_app.data.database import Page
from serve_app.data.errors import ApiError
from serve_app.data.lists import listed
from serve_app.data.stores import shown
from serve_app.data.stores.documents import Documents
from serve_app.data.stores.records import Stores
from serve_app.data.stores.schemas import AddFile, AddFiles, UpdateFile
from serve_app.data.vectors import VectorIndex

Limit = Annotated[int, Query(ge=1, le=100)]
Order = Literal["asc", "desc"]
Status = Literal["in_progress", "completed", "failed", "cancelled"]
_PARTS = 100
"""Of a document's content on one page."""


def router(stores: Stores, documents: Documents, index: VectorIndex) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/vector_stores/{store_id}", tags=["vector stores"])

    @routes.post("/files")
    async def add(store_id: str, asked: AddFile, caller: Authenticated) -> dict[str, Any]:
        store = await stores.writable(caller, store_id)
        await documents.add(caller, store, [asked])
        return shown.file(await documents.get(store, asked.file_id))

    async def page_of(
        store_id: str,
        caller: Authenticated,
        limit: int,
        order: str,
        after: str | None,
        before: str | None,
        status: str | None,
        batch_id: str | None = None,
    ) -> dict[str, Any]:
        store = await stores.get(caller, store_id)
        if batch_id:
            await documents.batch(store, batch_id)
        marks = [await documents.get(store, mark) if mark else None for mark in (after, before)]
        rows = await documents.page(store, Page(order, limit, *marks), status=status, batch_id=batch_id)
        return listed([shown.file(row) for row in rows], limit)

    @routes.get("/files")
    async def list_files(
        store_id: str,
        caller: Authenticated,
        limit: Limit = 20,
        order: Order = "desc",
        after: str | None = None,
        before: str | None = None,
        filter: Status | None = None,  # noqa: A002  # OpenAI's name
    ) -> dict[str, Any]:
        return await page_of(store_id, caller, limit, order, after, before, filter)

    @routes.get("/files/{file_id}")
    async def retrieve(store_id: str, file_id: str, caller: Authenticated) -> dict[str, Any]:
        return shown.file(await documents.get(await stores.get(caller, store_id), file_id))

    @routes.post("/files/{file_id}")
    async def modify(store_id: str, file_id: str, asked: UpdateFile, caller: Authenticated) -> dict[str, Any]:
        store = await stores.writable(caller, store_id)
        return shown.file(await documents.set_attributes(store, file_id, asked.attributes or {}))

    @routes.delete("/files/{file_id}")
    async def remove(store_id: str, file_id: str, caller: Authenticated) -> dict[str, Any]:
        await documents.remove(await stores.writable(caller, store_id), file_id)
        return {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}

    @routes.get("/files/{file_id}/content")
    async def content(
        store_id: str, file_id: str, caller: Authenticated, page: Annotated[int, Query(ge=0)] = 0
    ) -> dict[str, Any]:
        row = await documents.get(await stores.get(caller, store_id), file_id)
        first = page * _PARTS
        texts = await index.texts(store_id, file_id, first, _PARTS) if row.chunks else []
        more = first + len(texts) < row.chunks
        return {
            "object": "vector_store.file_content.page",
            "data": [{"type": "text", "text": text} for text in texts],
            "has_more": more,
            "next_page": str(page + 1) if more else None,
        }

    @routes.post("/file_batches")
    async def add_batch(store_id: str, asked: AddFiles, caller: Authenticated) -> dict[str, Any]:
        store = await stores.writable(caller, store_id)
        if (asked.file_ids is None) == (asked.files is None):
            raise ApiError(HTTPStatus.BAD_REQUEST, "file_ids: send either file_ids or files.", param="file_ids")
        shared = {"attributes": asked.attributes, "chunking_strategy": asked.chunking_strategy}
        each = asked.files or [AddFile(file_id=file_id, **shared) for file_id in asked.file_ids or ()]
        batch_id = await documents.add(caller, store, each, batch=True)
        return shown.batch(*await documents.batch(store, batch_id or ""))

    @routes.get("/file_batches/{batch_id}")
    async def retrieve_batch(store_id: str, batch_id: str, caller: Authenticated) -> dict[str, Any]:
        return shown.batch(*await documents.batch(await stores.get(caller, store_id), batch_id))

    @routes.post("/file_batches/{batch_id}/cancel")
    async def cancel(store_id: str, batch_id: str, caller: Authenticated) -> dict[str, Any]:
        store = await stores.writable(caller, store_id)
        await documents.cancel(store, batch_id)
        return shown.batch(*await documents.batch(store, batch_id))

    @routes.get("/file_batches/{batch_id}/files")
    async def list_batch(
        store_id: str,
        batch_id: str,
        caller: Authenticated,
        limit: Limit = 20,
        order: Order = "desc",
        after: str | None = None,
        before: str | None = None,
        filter: Status | None = None,  # noqa: A002  # OpenAI's name
    ) -> dict[str, Any]:
        return await page_of(store_id, caller, limit, order, after, before, filter, batch_id)

    return routes
