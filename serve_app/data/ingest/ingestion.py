"""Takes one file into its store, from where it was left."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.data.caller import FRESH_MS, Caller
from serve_app.data.database import now_ms, stores
from serve_app.data.embedder import Embedder, EmbedError
from serve_app.data.errors import StoreAwayError
from serve_app.data.files.content import Content
from serve_app.data.ingest.document import RefusedError
from serve_app.data.ingest.leases import Leases, LostError
from serve_app.data.ingest.reading import read
from serve_app.data.metrics import Metrics
from serve_app.data.vectors import Chunk, VectorIndex
from serve_app.settings.data import Ingest

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = 300
"""Seconds between two attempts."""


class Ingestion:
    """Does the work of a lease."""

    def __init__(
        self,
        engine: AsyncEngine,
        leases: Leases,
        content: Content,
        index: VectorIndex,
        embedder: Embedder,
        settings: Ingest,
        metrics: Metrics,
    ) -> None:
        self._engine = engine
        self._leases = leases
        self._content = content
        self._index = index
        self._embedder = embedder
        self._settings = settings
        self._metrics = metrics

    async def __call__(self, row: Row[Any]) -> None:
        """Takes a leased file in, or out where it is to leave. What comes of it is in the database."""
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._keep(row))
                await (self._take_out(row) if row.status == "deleting" else self._take_in(row))
                keeping.cancel()
        except* LostError:
            logger.info("file %s of %s is another's, or no longer wanted", row.file_id, row.store_id)
        except* Exception as failed:
            await self._failed(row, failed.exceptions[0])

    async def _keep(self, row: Row[Any]) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            await self._leases.keep(row)

    async def _take_out(self, row: Row[Any]) -> None:
        await self._index.delete(row.store_id, row.file_id)
        await self._leases.forget(row)

    async def _take_in(self, row: Row[Any]) -> None:
        async with self._engine.connect() as connection:
            store = (await connection.execute(select(stores).where(stores.c.id == row.store_id))).first()
        if store is None or store.deleting:
            raise LostError
        try:
            content = await self._content.get(row.file_id)
        except FileNotFoundError as error:
            raise RefusedError("invalid_file", "The file was deleted.") from error
        texts = await read(row, content, self._settings.max_chunks)
        if row.chunks == 0:
            await self._index.delete(row.store_id, row.file_id)  # what an earlier way of splitting it left
        done, size, caller = row.chunks, row.usage_bytes, Caller(**row.caller)
        while batch := texts[done : done + self._settings.batch_size]:
            vectors = await self._embedder(store.embed, batch, caller, background=True)
            if done == row.chunks:
                await self._make_room(row.store_id, len(vectors[0]))
            chunks = [
                Chunk(row.file_id, done + number, text, vector, row.attributes)
                for number, (text, vector) in enumerate(zip(batch, vectors, strict=True))
            ]
            await self._leases.keep(row)
            await self._index.upsert(row.store_id, chunks)
            done += len(chunks)
            size += sum(len(chunk.text.encode()) + 4 * len(chunk.vector) for chunk in chunks)
            await self._leases.keep(row, chunks=done, usage_bytes=size, attempts=0)
        await self._leases.end(row, status="completed", error_code=None, error_message=None)
        self._metrics.ingested.labels("completed").inc()

    async def _make_room(self, store_id: str, dimensions: int) -> None:
        """Makes the store's vectors with the first of them.

        Raises:
            RefusedError: The model makes others than before.
        """
        ours = stores.c.id == store_id
        async with self._engine.begin() as connection:
            first = update(stores).where(ours, stores.c.dimensions.is_(None)).values(dimensions=dimensions)
            await connection.execute(first)
            known = await connection.scalar(select(stores.c.dimensions).where(ours))
        if known != dimensions:
            message = f"The model makes {dimensions} dimensions, but the store has {known}: make a store for it."
            raise RefusedError("server_error", message)
        await self._index.create(store_id, dimensions)

    async def _failed(self, row: Row[Any], error: Exception) -> None:
        code = error.code if isinstance(error, RefusedError) else "server_error"
        message = str(error)[:1000] or type(error).__name__
        if isinstance(error, EmbedError) and error.status == HTTPStatus.BAD_REQUEST:
            code = "invalid_file"
        again = error.again if isinstance(error, EmbedError) else not isinstance(error, RefusedError)
        if isinstance(error, EmbedError) and error.ended:
            again = now_ms() - row.created_ms < FRESH_MS
        if not isinstance(error, (RefusedError, EmbedError, StoreAwayError)):
            logger.error("file %s of %s", row.file_id, row.store_id, exc_info=error)
        deleting = row.status == "deleting"
        attempts = await self._leases.attempts(row) + 1
        try:
            if deleting or (again and attempts < self._settings.max_attempts):
                pause = min(_LONGEST_PAUSE, 2**attempts)
                logger.warning("file %s of %s: %s; again in %d s", row.file_id, row.store_id, message, pause)
                await self._leases.end(row, attempts=attempts, next_ms=now_ms() + pause * 1000)
                return
            logger.warning("file %s of %s failed: %s", row.file_id, row.store_id, message)
            await self._leases.end(row, status="failed", error_code=code, error_message=message)
            self._metrics.ingested.labels("failed").inc()
        except LostError:
            return
