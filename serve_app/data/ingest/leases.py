"""Who works on which file of a store: a lease in the database.

Of several replicas one does, and another goes on where one was killed.
"""

import secrets
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.data.database import now_ms, store_files

_WORK = ("in_progress", "deleting")


class LostError(Exception):
    """The lease is somebody else's, or the work is no longer wanted."""


class Leases:
    """The work of all replicas."""

    def __init__(self, engine: AsyncEngine, seconds: int) -> None:
        self._engine = engine
        self._ms = seconds * 1000

    async def take(self) -> Row[Any] | None:
        """The next file, leased; None where there is none to do."""
        now = now_ms()
        free = and_(store_files.c.next_ms <= now, store_files.c.lease_ms <= now, store_files.c.status.in_(_WORK))
        query = select(store_files).where(free).order_by(store_files.c.next_ms, store_files.c.created_ms).limit(10)
        async with self._engine.connect() as connection:
            candidates = list(await connection.execute(query))
        lease = secrets.token_hex(8)
        for row in candidates:
            async with self._engine.begin() as connection:
                taken = update(store_files).where(_same(row), free).values(lease=lease, lease_ms=now + self._ms)
                if (await connection.execute(taken)).rowcount:
                    return (await connection.execute(select(store_files).where(_same(row)))).one()
        return None

    async def keep(self, row: Row[Any], **values: object) -> None:
        """Goes on with a file, and notes how far it is.

        Raises:
            LostError: It is not ours to go on with.
        """
        held = and_(_same(row), store_files.c.lease == row.lease, store_files.c.status == row.status)
        kept = update(store_files).where(held).values(lease_ms=now_ms() + self._ms, **values)
        async with self._engine.begin() as connection:
            if not (await connection.execute(kept)).rowcount:
                raise LostError

    async def end(self, row: Row[Any], **values: object) -> None:
        """Gives a file back, as it is from now on.

        Raises:
            LostError: It is not ours any more.
        """
        held = and_(_same(row), store_files.c.lease == row.lease, store_files.c.status == row.status)
        ended = update(store_files).where(held).values({"lease": None, "lease_ms": 0, **values})
        async with self._engine.begin() as connection:
            if not (await connection.execute(ended)).rowcount:
                raise LostError

    async def attempts(self, row: Row[Any]) -> int:
        """How often a file was tried since it last went on."""
        async with self._engine.connect() as connection:
            return int(await connection.scalar(select(store_files.c.attempts).where(_same(row))) or 0)

    async def forget(self, row: Row[Any]) -> None:
        """Ends with a file that is gone from its store."""
        held = and_(_same(row), store_files.c.lease == row.lease, store_files.c.status == "deleting")
        async with self._engine.begin() as connection:
            await connection.execute(delete(store_files).where(held))

    async def waiting(self) -> int:
        """Files that are not in their stores yet."""
        query = select(func.count()).select_from(store_files).where(store_files.c.status == "in_progress")
        async with self._engine.connect() as connection:
            return int(await connection.scalar(query) or 0)


def _same(row: Row[Any]) -> ColumnElement[bool]:
    return and_(store_files.c.store_id == row.store_id, store_files.c.file_id == row.file_id)
