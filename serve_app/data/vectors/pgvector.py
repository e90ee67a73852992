"""Vectors in Postgres with pgvector, a table for each store."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import Column as Field
from sqlalchemy import (
    ColumnElement,
    Computed,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from serve_app.data.database import async_url
from serve_app.data.errors import StoreAwayError
from serve_app.data.vectors import Chunk, Hit, table_of
from serve_app.data.vectors.filters import Comparison, Filter

MOST_INDEXED = 2000
"""Dimensions that an HNSW index takes; longer vectors are compared one by one."""
_COMPARE = {"eq": "__eq__", "gt": "__gt__", "gte": "__ge__", "lt": "__lt__", "lte": "__le__"}


class PgVector:
    """See `VectorIndex`."""

    kind = "pgvector"

    def __init__(self, url: str, timeout_seconds: float) -> None:
        """Connects at the first call.

        Args:
            url: `postgresql://…`; its user may make tables, and the extension where it is not there.
            timeout_seconds: Of one call.
        """
        options = {
            "timeout": timeout_seconds,
            "command_timeout": timeout_seconds,
            "prepared_statement_cache_size": 0,  # a store's table may come again with other dimensions
            "statement_cache_size": 0,
        }
        self._engine: AsyncEngine = create_async_engine(
            async_url(url), pool_size=5, max_overflow=5, pool_pre_ping=True, connect_args=options
        )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, OSError, TimeoutError) as error:
            raise StoreAwayError(str(error)) from error

    async def create(self, store_id: str, dimensions: int) -> None:
        """See `VectorIndex`."""
        made = _table(store_id, dimensions)
        async with self._connected() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(7355609)"))
            await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
            await connection.run_sync(made.create, checkfirst=True)

    async def drop(self, store_id: str) -> None:
        """See `VectorIndex`."""
        async with self._connected() as connection:
            await connection.run_sync(_table(store_id, 1).drop, checkfirst=True)

    async def upsert(self, store_id: str, chunks: Sequence[Chunk]) -> None:
        """See `VectorIndex`."""
        rows = [
            {
                "file_id": chunk.file_id,
                "position": chunk.position,
                "text": chunk.text.replace("\0", ""),
                "attributes": chunk.attributes,
                "vector": list(chunk.vector),
            }
            for chunk in chunks
        ]
        statement = insert(_table(store_id, len(chunks[0].vector)))
        replaced = {name: statement.excluded[name] for name in ("text", "attributes", "vector")}
        async with self._connected() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["file_id", "position"], set_=replaced), rows
            )

    async def delete(self, store_id: str, file_id: str) -> None:
        """See `VectorIndex`."""
        async with self._connected() as connection:
            made = _table(store_id, 1)
            if await connection.scalar(select(func.to_regclass(made.name))) is not None:
                await connection.execute(made.delete().where(made.c.file_id == file_id))

    async def set_attributes(self, store_id: str, file_id: str, attributes: dict[str, Any]) -> None:
        """See `VectorIndex`."""
        made = _table(store_id, 1)
        async with self._connected() as connection:
            await connection.execute(made.update().where(made.c.file_id == file_id).values(attributes=attributes))

    async def search(self, store_id: str, vector: Sequence[float], most: int, where: Filter | None) -> list[Hit]:
        """See `VectorIndex`."""
        made = _table(store_id, len(vector))
        distance = made.c.vector.cosine_distance(list(vector))
        query = select(made.c.file_id, made.c.position, made.c.text, (1 - distance).label("score"))
        query = query.order_by(distance).limit(most)
        if where:
            query = query.where(condition(made.c.attributes, where))
        async with self._connected() as connection:
            await connection.execute(text("SET LOCAL hnsw.iterative_scan = strict_order"))
            return [Hit(*row) for row in await connection.execute(query)]

    async def search_words(self, store_id: str, words: str, most: int, where: Filter | None) -> list[Hit]:
        """See `VectorIndex`. Any of the words will do: those who ask write sentences."""
        made = _table(store_id, 1)
        every = cast(func.plainto_tsquery("simple", words), Text)
        asked = func.to_tsquery("simple", func.replace(every, " & ", " | "))
        rank = func.ts_rank_cd(made.c.words, asked)
        query = select(made.c.file_id, made.c.position, made.c.text, rank.label("score"))
        query = query.where(made.c.words.op("@@")(asked)).order_by(rank.desc()).limit(most)
        if where:
            query = query.where(condition(made.c.attributes, where))
        async with self._connected() as connection:
            return [Hit(*row) for row in await connection.execute(query)]

    async def texts(self, store_id: str, file_id: str, first: int, most: int) -> list[str]:
        """See `VectorIndex`."""
        made = _table(store_id, 1)
        query = select(made.c.text).where(made.c.file_id == file_id, made.c.position >= first)
        async with self._connected() as connection:
            return list(await connection.scalars(query.order_by(made.c.position).limit(most)))

    async def ping(self) -> None:
        """See `VectorIndex`."""
        async with self._connected() as connection:
            await connection.execute(select(1))

    async def close(self) -> None:
        """See `VectorIndex`."""
        await self._engine.dispose()


def _table(store_id: str, dimensions: int) -> Table:
    name = table_of(store_id)
    made = Table(
        name,
        MetaData(),
        Field("file_id", String(64), primary_key=True),
        Field("position", Integer, primary_key=True),
        Field("text", Text, nullable=False),
        Field("attributes", JSONB, nullable=False),
        Field("vector", Vector(dimensions), nullable=False),
        Field("words", TSVECTOR, Computed("to_tsvector('simple', text)", persisted=True)),
    )
    Index(f"{name}_words", made.c.words, postgresql_using="gin")
    if dimensions <= MOST_INDEXED:
        operators = {"vector": "vector_cosine_ops"}
        Index(f"{name}_vector", made.c.vector, postgresql_using="hnsw", postgresql_ops=operators)
    return made


def condition(attributes: ColumnElement[Any], where: Filter) -> ColumnElement[bool]:
    """A filter as SQL, keys and values as parameters. What is not there, or of another type, is equal to nothing."""
    if not isinstance(where, Comparison):
        parts = [condition(attributes, part) for part in where.filters]
        return and_(*parts) if where.type == "and" else or_(*parts)
    values = where.value if isinstance(where.value, list) else [where.value]
    method = _COMPARE.get(where.type, "__eq__")
    field = attributes[where.key]
    either = or_(
        *(
            and_(func.jsonb_typeof(field) == _type(value), getattr(field, method)(cast(literal(value, JSONB), JSONB)))
            for value in values
        )
    )
    holds = func.coalesce(either, False)
    return not_(holds) if where.type in ("ne", "nin") else holds


def _type(value: str | float | bool) -> str:
    return "string" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"
