"""`/v1/vector_stores` as OpenAI has it."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Row

from serve_app.data.caller import Authenticated, Caller, Reading
from serve_app.data.database import Page
from serve_app.data.errors import ApiError
from serve_app.data.lists import listed
from serve_app.data.stores import shown
from serve_app.data.stores.documents import Documents
from serve_app.data.stores.records import Stores
from serve_app.data.stores.schemas import AddFile, CreateStore, SearchPage, SearchRequest, UpdateStore
from serve_app.data.stores.search import Search

Limit = Annotated[int, Query(ge=1, le=100)]
Order = Literal["asc", "desc"]


def router(stores: Stores, documents: Documents, search: Search) -> APIRouter:
    """The routes of stores; those of their files are `files_router`'s."""
    routes = APIRouter(prefix="/v1/vector_stores", tags=["vector stores"])

    async def show(rows: list[Row[Any]]) -> list[dict[str, Any]]:
        counts = await stores.counts([row.id for row in rows])
        return [shown.store(row, *counts[row.id]) for row in rows]

    async def one(caller: Caller, store_id: str) -> dict[str, Any]:
        return (await show([await stores.get(caller, store_id)]))[0]

    @routes.post("")
    async def create(asked: CreateStore, caller: Authenticated) -> dict[str, Any]:
        row = await stores.create(caller, asked)
        if asked.file_ids:
            await documents.add(caller, row, [AddFile(file_id=file_id) for file_id in asked.file_ids])
        return await one(caller, row.id)

    @routes.get("")
    async def list_stores(
        caller: Authenticated,
        limit: Limit = 20,
        order: Order = "desc",
        after: str | None = None,
        before: str | None = None,
    ) -> dict[str, Any]:
        marks = [await stores.get(caller, mark) if mark else None for mark in (after, before)]
        rows = await stores.page(caller, Page(order, limit, *marks))
        return listed(await show(rows), limit)

    @routes.get("/{store_id}")
    async def retrieve(store_id: str, caller: Authenticated) -> dict[str, Any]:
        return await one(caller, store_id)

    @routes.post("/{store_id}")
    async def modify(store_id: str, asked: UpdateStore, caller: Authenticated) -> dict[str, Any]:
        return (await show([await stores.update(caller, store_id, asked)]))[0]

    @routes.delete("/{store_id}")
    async def remove(store_id: str, caller: Authenticated) -> dict[str, Any]:
        await stores.remove(caller, store_id)
        return {"id": store_id, "object": "vector_store.deleted", "deleted": True}

    @routes.post("/{store_id}/search")
    async def find(store_id: str, asked: SearchRequest, caller: Reading) -> SearchPage:
        store = await stores.get(caller, store_id)
        if caller.pipeline and (not store.declared or asked.query_vector is None):
            message = "A pipeline may search stores of vectorStores, with a query_vector: ask through the gateway."
            raise ApiError(HTTPStatus.FORBIDDEN, message, code="pipeline_token")
        if store.expires_days is not None:
            await stores.used(store_id)
        return await search(caller, store, asked)

    return routes
