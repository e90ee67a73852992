"""What is known of vector stores, and who may do what with them."""

from http import HTTPStatus
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.data.caller import Caller
from serve_app.data.database import Page, batches, new_id, now_ms, store_files, stores
from serve_app.data.errors import ApiError, not_found
from serve_app.data.stores.schemas import ChunkingStrategy, CreateStore, UpdateStore
from serve_app.data.vectors import VectorIndex
from serve_app.settings.data import Chunk, DataConfig, Store

DAY_MS = 24 * 3600 * 1000
Counts = dict[str, int]


class Stores:
    """The stores of all callers, and those that are declared."""

    def __init__(self, engine: AsyncEngine, index: VectorIndex, config: DataConfig) -> None:
        self._engine = engine
        self._index = index
        self._config = config
        self._declared = {f"vs_{name}": store for name, store in config.stores.items()}

    async def declare(self) -> None:
        """Makes the declared stores; one that embeds or splits otherwise than before takes its documents in anew.

        Raises:
            StoreAwayError: What was embedded otherwise cannot be forgotten at the moment; to be tried again.
        """
        changed = []
        for store_id, store in self._declared.items():
            told = {"name": store_id.removeprefix("vs_"), "description": store.description, "deleting": False}
            async with self._engine.begin() as connection:
                row = (await connection.execute(select(stores).where(stores.c.id == store_id))).first()
                if row is None:
                    values = {**_new(store_id, ""), **_made(store), **told, "declared": True}
                    await connection.execute(insert(stores).values(values))
                    continue
                await connection.execute(update(stores).where(stores.c.id == store_id).values(**told))
            if any(getattr(row, key) != value for key, value in _made(store).items()):
                changed.append((store_id, store))
        for store_id, store in changed:
            await self._take_in_anew(store_id, store)

    async def _take_in_anew(self, store_id: str, store: Store) -> None:
        ours = and_(store_files.c.store_id == store_id, store_files.c.status != "deleting")
        again: dict[str, Any] = {"status": "in_progress", "chunks": 0, "usage_bytes": 0, "attempts": 0, "next_ms": 0}
        # Nobody's key is asked for what the operator's edit does: those who added the documents may be gone.
        again["lease"] = None
        again["caller"] = Caller(team=store.team, key=f"store:{store_id.removeprefix('vs_')}").as_json()
        split = {"max_tokens": store.chunk.max_tokens, "overlap_tokens": store.chunk.overlap}
        await self._index.drop(store_id)
        async with self._engine.begin() as connection:
            await connection.execute(update(store_files).where(ours).values(**again))
            await connection.execute(update(store_files).where(ours, store_files.c.static.is_(False)).values(**split))
            remade = update(stores).where(stores.c.id == store_id).values(dimensions=None, **_made(store))
            await connection.execute(remade)

    async def create(self, caller: Caller, asked: CreateStore) -> Row[Any]:
        """Makes a store.

        Raises:
            ApiError: 400, no model is named and there is no default.
        """
        embed = asked.embedding_model or self._config.embed
        if not embed:
            message = "embedding_model: is not set and there is no default, name a model that embeds or set data.embed."
            raise ApiError(HTTPStatus.BAD_REQUEST, message, param="embedding_model")
        max_tokens, overlap, _ = chunking(asked.chunking_strategy, self._config.chunk)
        values = _new(new_id("vs_"), caller.owner) | {
            "name": asked.name,
            "description": asked.description or "",
            "embed": embed,
            "max_tokens": max_tokens,
            "overlap_tokens": overlap,
            "metadata": asked.metadata or {},
            "expires_days": asked.expires_after.days if asked.expires_after else None,
        }
        async with self._engine.begin() as connection:
            await connection.execute(insert(stores).values(values))
        return await self.get(caller, str(values["id"]))

    def _visible(self, caller: Caller) -> ColumnElement[bool]:
        shown = [name for name, store in self._declared.items() if store.team in ("", caller.team)]
        own = and_(stores.c.owner == caller.owner, stores.c.declared.is_(False))
        return and_(stores.c.deleting.is_(False), or_(own, stores.c.id.in_(shown)))

    async def get(self, caller: Caller, store_id: str) -> Row[Any]:
        """One store that the caller may read.

        Raises:
            ApiError: 404, there is none for the caller.
        """
        async with self._engine.connect() as connection:
            row = (
                await connection.execute(select(stores).where(stores.c.id == store_id, self._visible(caller)))
            ).first()
        if row is None or _expired(row):
            raise not_found("vector store", store_id)
        return row

    async def writable(self, caller: Caller, store_id: str) -> Row[Any]:
        """One store whose documents the caller may change.

        Raises:
            ApiError: 404, there is none for the caller; 403, it may only read it.
        """
        row = await self.get(caller, store_id)
        declared = self._declared.get(store_id)
        if declared is None or (declared.team and declared.team == caller.team):
            return row
        if caller.key in declared.writers or caller == Caller():
            return row
        message = (
            f"The vector store {store_id!r} is read-only for you: vectorStores in the chart's values has its writers."
        )
        raise ApiError(HTTPStatus.FORBIDDEN, message, code="read_only")

    async def own(self, caller: Caller, store_id: str) -> Row[Any]:
        """One store that the caller made, and may change or delete.

        Raises:
            ApiError: 404, there is none for the caller; 403, it is declared.
        """
        row = await self.get(caller, store_id)
        if row.declared:
            message = f"The vector store {store_id!r} is declared in the chart's values: change it there."
            raise ApiError(HTTPStatus.FORBIDDEN, message, code="declared")
        return row

    async def page(self, caller: Caller, page: Page) -> list[Row[Any]]:
        """A page of stores, and one more where there is another page."""
        async with self._engine.connect() as connection:
            return list(await connection.execute(page.of(select(stores).where(self._visible(caller)), stores, "id")))

    async def update(self, caller: Caller, store_id: str, asked: UpdateStore) -> Row[Any]:
        """Changes what is said of a store. Raises as `own` does."""
        await self.own(caller, store_id)
        values: dict[str, Any] = {}
        if asked.name is not None:
            values["name"] = asked.name
        if "metadata" in asked.model_fields_set:
            values["metadata"] = asked.metadata or {}
        if "expires_after" in asked.model_fields_set:
            values["expires_days"] = asked.expires_after.days if asked.expires_after else None
        async with self._engine.begin() as connection:
            await connection.execute(update(stores).where(stores.c.id == store_id).values(active_ms=now_ms(), **values))
        return await self.get(caller, store_id)

    async def used(self, store_id: str) -> None:
        """Notes that a store was used, which is what its end is counted from."""
        async with self._engine.begin() as connection:
            await connection.execute(update(stores).where(stores.c.id == store_id).values(active_ms=now_ms()))

    async def remove(self, caller: Caller, store_id: str) -> None:
        """Deletes a store; nobody sees it from now on. Raises as `own` does."""
        await self.own(caller, store_id)
        async with self._engine.begin() as connection:
            await connection.execute(update(stores).where(stores.c.id == store_id).values(deleting=True))

    async def sweep(self) -> None:
        """Forgets stores that were deleted, or whose time is over.

        Raises:
            StoreAwayError: The vectors cannot be forgotten at the moment.
        """
        over = stores.c.active_ms + stores.c.expires_days * DAY_MS <= now_ms()
        async with self._engine.connect() as connection:
            query = select(stores.c.id).where(or_(stores.c.deleting.is_(True), over)).limit(20)
            gone = list(await connection.scalars(query))
        for store_id in gone:
            async with self._engine.begin() as connection:
                await connection.execute(update(stores).where(stores.c.id == store_id).values(deleting=True))
                await connection.execute(delete(store_files).where(store_files.c.store_id == store_id))
                await connection.execute(delete(batches).where(batches.c.store_id == store_id))
            await self._index.drop(store_id)
            async with self._engine.begin() as connection:
                await connection.execute(delete(stores).where(stores.c.id == store_id))

    async def counts(self, store_ids: list[str]) -> dict[str, tuple[Counts, int]]:
        """How many files stores have by status, and the bytes of their parts."""
        table = store_files.c
        columns = (table.store_id, table.status, func.count(), func.coalesce(func.sum(table.usage_bytes), 0))
        query = select(*columns).where(table.store_id.in_(store_ids)).group_by(table.store_id, table.status)
        found: dict[str, tuple[Counts, int]] = {store_id: ({}, 0) for store_id in store_ids}
        async with self._engine.connect() as connection:
            for store_id, status, count, size in await connection.execute(query):
                statuses, total = found[store_id]
                found[store_id] = ({**statuses, status: count}, total + int(size))
        return found


def chunking(strategy: ChunkingStrategy | None, default: Chunk) -> tuple[int, int, bool]:
    """Tokens of a part, tokens that it repeats, and whether the caller chose them.

    Raises:
        ApiError: 400, the parts would overlap by more than half.
    """
    if strategy is None or strategy.static is None:
        return default.max_tokens, default.overlap, False
    static = strategy.static
    if static.chunk_overlap_tokens * 2 > static.max_chunk_size_tokens:
        message = "chunking_strategy: chunk_overlap_tokens is more than half of max_chunk_size_tokens, lower it."
        raise ApiError(HTTPStatus.BAD_REQUEST, message, param="chunking_strategy")
    return static.max_chunk_size_tokens, static.chunk_overlap_tokens, True


def expires_ms(row: Row[Any]) -> int | None:
    """When a store goes by itself; None for never."""
    return None if row.expires_days is None else int(row.active_ms + row.expires_days * DAY_MS)


def _expired(row: Row[Any]) -> bool:
    end = expires_ms(row)
    return end is not None and end <= now_ms()


def _made(store: Store) -> dict[str, Any]:
    return {"embed": store.embed, "max_tokens": store.chunk.max_tokens, "overlap_tokens": store.chunk.overlap}


def _new(store_id: str, owner: str) -> dict[str, Any]:
    now = now_ms()
    return {
        "id": store_id,
        "owner": owner,
        "declared": False,
        "metadata": {},
        "created_ms": now,
        "active_ms": now,
        "deleting": False,
    }
