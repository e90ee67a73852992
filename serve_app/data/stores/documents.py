"""The files of stores, and batches of them."""

from http import HTTPStatus
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.data.caller import Caller
from serve_app.data.database import Page, batches, new_id, now_ms, store_files
from serve_app.data.errors import ApiError, not_found
from serve_app.data.files.records import Files
from serve_app.data.stores.records import Counts, chunking
from serve_app.data.stores.schemas import AddFile
from serve_app.data.vectors import VectorIndex
from serve_app.settings.data import Chunk

SHOWN = ("in_progress", "completed", "failed", "cancelled")
"""A file's statuses, as OpenAI has them; beside them there is `deleting`, which nobody sees."""


class Documents:
    """Which file is in which store, and how far it is."""

    def __init__(self, engine: AsyncEngine, files: Files, index: VectorIndex) -> None:
        self._engine = engine
        self._files = files
        self._index = index

    async def add(self, caller: Caller, store: Row[Any], asked: list[AddFile], *, batch: bool = False) -> str | None:
        """Puts files into a store; one that is there already is taken in anew.

        Args:
            caller: On whose behalf they are embedded.
            store: The store.
            asked: The files, each of the caller's own.
            batch: Whether they are a batch.

        Returns:
            The batch's id.

        Raises:
            ApiError: 404, a file is not the caller's.
        """
        now = now_ms()
        batch_id = new_id("vsfb_") if batch else None
        default = Chunk(maxTokens=store.max_tokens, overlapTokens=store.overlap_tokens)
        rows = []
        for each in {each.file_id: each for each in asked}.values():
            file = await self._files.get(caller, each.file_id)
            max_tokens, overlap, static = chunking(each.chunking_strategy, default)
            rows.append(
                {
                    "batch_id": batch_id,
                    "caller": caller.as_json(),
                    "filename": file.filename,
                    "attributes": each.attributes or {},
                    "status": "in_progress",
                    "error_code": None,
                    "error_message": None,
                    "max_tokens": max_tokens,
                    "overlap_tokens": overlap,
                    "static": static,
                    "usage_bytes": 0,
                    "chunks": 0,
                    "attempts": 0,
                    "created_ms": now,
                    "store_id": store.id,
                    "file_id": file.id,
                }
            )
            now += 1
        async with self._engine.begin() as connection:
            if batch_id:
                made = {"id": batch_id, "store_id": store.id, "cancelled": False, "created_ms": now_ms()}
                await connection.execute(insert(batches).values(made))
            for row in rows:
                there = (store_files.c.store_id == store.id) & (store_files.c.file_id == row["file_id"])
                # Whoever is at work on it stops at its next step, and nobody begins before its lease is over.
                again = update(store_files).where(there).values(**row, next_ms=store_files.c.lease_ms, lease=None)
                if not (await connection.execute(again)).rowcount:
                    await connection.execute(insert(store_files).values(**row, next_ms=0, lease_ms=0))
        return batch_id

    async def get(self, store: Row[Any], file_id: str) -> Row[Any]:
        """One file of a store.

        Raises:
            ApiError: 404, it is not in there.
        """
        async with self._engine.connect() as connection:
            row = (await connection.execute(_of(store).where(store_files.c.file_id == file_id))).first()
        if row is None:
            raise not_found("file in this vector store", file_id)
        return row

    async def several(self, store_id: str, file_ids: set[str]) -> dict[str, Row[Any]]:
        """Those of some files that are completely in a store, by id."""
        query = select(store_files).where(
            store_files.c.store_id == store_id, store_files.c.file_id.in_(file_ids), store_files.c.status == "completed"
        )
        async with self._engine.connect() as connection:
            return {row.file_id: row for row in await connection.execute(query)}

    async def page(
        self, store: Row[Any], page: Page, *, status: str | None = None, batch_id: str | None = None
    ) -> list[Row[Any]]:
        """A page of a store's files, and one more where there is another page."""
        query = _of(store)
        if status:
            query = query.where(store_files.c.status == status)
        if batch_id:
            query = query.where(store_files.c.batch_id == batch_id)
        async with self._engine.connect() as connection:
            return list(await connection.execute(page.of(query, store_files, "file_id")))

    async def set_attributes(self, store: Row[Any], file_id: str, attributes: dict[str, Any]) -> Row[Any]:
        """Replaces a file's attributes.

        Raises:
            ApiError: 404, it is not in there; 409, it is being taken in.
            StoreAwayError: The vectors' attributes cannot be changed at the moment.
        """
        row = await self.get(store, file_id)
        if row.status == "in_progress":
            message = f"The file {file_id!r} is being taken in: change its attributes when it is completed."
            raise ApiError(HTTPStatus.CONFLICT, message, code="in_progress")
        if row.chunks:
            await self._index.set_attributes(store.id, file_id, attributes)
        there = (store_files.c.store_id == store.id) & (store_files.c.file_id == file_id)
        async with self._engine.begin() as connection:
            await connection.execute(update(store_files).where(there).values(attributes=attributes))
        return await self.get(store, file_id)

    async def remove(self, store: Row[Any], file_id: str) -> None:
        """Takes a file out of a store: no search finds it from now on.

        Raises:
            ApiError: 404, it is not in there.
        """
        await self.get(store, file_id)
        there = (store_files.c.store_id == store.id) & (store_files.c.file_id == file_id)
        leaving = {"status": "deleting", "next_ms": store_files.c.lease_ms, "lease": None}
        async with self._engine.begin() as connection:
            await connection.execute(update(store_files).where(there).values(**leaving))

    async def batch(self, store: Row[Any], batch_id: str) -> tuple[Row[Any], Counts]:
        """A batch, and how many of its files there are by status.

        Raises:
            ApiError: 404, there is none in this store.
        """
        query = select(batches).where(batches.c.id == batch_id, batches.c.store_id == store.id)
        counted = select(store_files.c.status, func.count()).where(store_files.c.batch_id == batch_id)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                raise not_found("batch of files in this vector store", batch_id)
            found = await connection.execute(counted.group_by(store_files.c.status))
            counts = {str(status): int(count) for status, count in found}
        return row, counts

    async def cancel(self, store: Row[Any], batch_id: str) -> None:
        """Ends a batch: what is not completed by now is cancelled.

        Raises:
            ApiError: 404, there is none in this store.
        """
        await self.batch(store, batch_id)
        rest = (store_files.c.batch_id == batch_id) & (store_files.c.status == "in_progress")
        async with self._engine.begin() as connection:
            await connection.execute(update(batches).where(batches.c.id == batch_id).values(cancelled=True))
            await connection.execute(update(store_files).where(rest).values(status="cancelled", lease=None))


def _of(store: Row[Any]) -> Select[Any]:
    return select(store_files).where(store_files.c.store_id == store.id, store_files.c.status.in_(SHOWN))
