"""What is known of files and stores: tables for SQLite and Postgres.

Times are milliseconds since 1970, so that lists keep the order in which things were made.
"""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    event,
    text,
    tuple_,
)
from sqlalchemy import Text as LongText
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

metadata = MetaData()

files = Table(
    "data_files",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(300), nullable=False, index=True),
    Column("filename", String(255), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
)

stores = Table(
    "data_stores",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(300), nullable=False, index=True),
    Column("declared", Boolean, nullable=False),
    Column("name", String(256), nullable=False),
    Column("description", LongText, nullable=False),
    Column("embed", String(128), nullable=False),
    Column("dimensions", Integer),  # known with the first vector
    Column("max_tokens", Integer, nullable=False),
    Column("overlap_tokens", Integer, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("expires_days", Integer),
    Column("created_ms", BigInteger, nullable=False),
    Column("active_ms", BigInteger, nullable=False),
    Column("deleting", Boolean, nullable=False),
)

store_files = Table(
    "data_store_files",
    metadata,
    Column("store_id", String(64), primary_key=True),
    Column("file_id", String(64), primary_key=True),
    Column("batch_id", String(64), index=True),
    Column("caller", JSON, nullable=False),  # on whose behalf it is embedded
    Column("filename", String(255), nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("status", String(16), nullable=False),  # OpenAI's, or deleting
    Column("error_code", String(32)),
    Column("error_message", LongText),
    Column("max_tokens", Integer, nullable=False),
    Column("overlap_tokens", Integer, nullable=False),
    Column("static", Boolean, nullable=False),  # whether the caller chose how it is split
    Column("usage_bytes", BigInteger, nullable=False),
    Column("chunks", Integer, nullable=False),  # stored so far
    Column("attempts", Integer, nullable=False),
    Column("next_ms", BigInteger, nullable=False),  # not to be tried before
    Column("lease", String(32)),
    Column("lease_ms", BigInteger, nullable=False),  # until when
    Column("created_ms", BigInteger, nullable=False),
    Index("data_store_files_work", "status", "next_ms"),
    Index("data_store_files_file", "file_id"),
)

batches = Table(
    "data_file_batches",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("store_id", String(64), nullable=False, index=True),
    Column("cancelled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)


def now_ms() -> int:
    """The time."""
    return time.time_ns() // 1_000_000


def new_id(prefix: str) -> str:
    """An id that nobody can guess."""
    return prefix + secrets.token_hex(12)


def async_url(url: str) -> str:
    """A database's URL with the driver that is installed."""
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+asyncpg://" + url.removeprefix(plain)
    return url


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AsyncEngine]:
    """A database whose tables are there.

    Args:
        url: `sqlite+aiosqlite:///PATH`, or a Postgres'.
    """
    sqlite = url.startswith("sqlite")
    # SQLite has one writer at a time, and those who wait for it in a queue have their turn.
    size = {"pool_size": 1, "max_overflow": 0} if sqlite else {"pool_size": 10, "max_overflow": 10}
    options: dict[str, Any] = {**size, "pool_timeout": 120, "pool_pre_ping": not sqlite}
    engine = create_async_engine(async_url(url), **options)
    if sqlite:
        event.listen(engine.sync_engine, "connect", _pragmas)
    try:
        async with engine.begin() as connection:
            if not sqlite:  # two replicas that start at once
                await connection.execute(text("SELECT pg_advisory_xact_lock(7355608)"))
            await connection.run_sync(metadata.create_all)
        yield engine
    finally:
        await engine.dispose()


def _pragmas(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "busy_timeout=10000", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class Page(NamedTuple):
    """Which rows of a list are asked for."""

    order: str
    """`asc` or `desc`, by age."""
    limit: int
    after: Row[Any] | None = None
    """The last row of the page before."""
    before: Row[Any] | None = None
    """The first row of the page after."""

    def of(self, query: Select[Any], table: Table, key: str) -> Select[Any]:
        """A query's rows of the page, and one more that tells whether there are others.

        Args:
            query: The rows of all pages.
            table: Theirs, with `created_ms`.
            key: The column that names them.
        """
        columns = (table.c.created_ms, table.c[key])
        for row, forward in ((self.after, True), (self.before, False)):
            if row is not None:
                mark = tuple_(row.created_ms, getattr(row, key))
                later = forward == (self.order == "asc")
                query = query.where(tuple_(*columns) > mark if later else tuple_(*columns) < mark)
        ordered = columns if self.order == "asc" else [column.desc() for column in columns]
        return query.order_by(*ordered).limit(self.limit + 1)
