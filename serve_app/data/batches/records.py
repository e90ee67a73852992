"""Batches as callers see them, and their leases."""

import secrets
import time
from http import HTTPStatus
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from serve_app.data.batches.tables import batch_jobs, batch_lines
from serve_app.data.caller import Caller
from serve_app.data.database import Page, new_id, now_ms
from serve_app.data.errors import ApiError, not_found
from serve_app.data.ingest.leases import LostError

HOURS = 24
KEPT_DAYS = 30
KEEP_SECONDS = 5
"""Between two renewals of a lease."""
OPEN = ("validating", "in_progress", "finalizing", "cancelling")
"""Statuses in which there is something to do."""
MOST_OPEN = 20
"""Batches that one team may have under way."""


class Ages(NamedTuple):
    """How long batches wait, in seconds, by their owners; those without any are not in it."""

    waiting: dict[str, float]
    """Since the oldest was made that has not begun."""
    idle: dict[str, float]
    """Since a line was last answered of the one that has begun and moves least."""


class Batches:
    """The batches of all callers; each sees those of its team."""

    def __init__(self, engine: AsyncEngine, lease_seconds: int) -> None:
        self._engine = engine
        self._lease_ms = lease_seconds * 1000

    async def create(self, caller: Caller, endpoint: str, input_file_id: str, metadata: dict[str, str]) -> Row[Any]:
        """Makes a batch.

        Raises:
            ApiError: 429, the team has too many under way.
        """
        mine = and_(batch_jobs.c.owner == caller.owner, batch_jobs.c.status.in_(OPEN))
        now = now_ms()
        values = {
            "id": new_id("batch_"),
            "owner": caller.owner,
            "caller": caller.as_json(),
            "endpoint": endpoint,
            "input_file_id": input_file_id,
            "metadata": metadata,
            "status": "validating",
            "times": {},
            "errors": [],
            "total": 0,
            "created_ms": now,
            "moved_ms": now,
            "expires_ms": now + int(HOURS * 3600 * 1000),
            "lease_ms": 0,
        }
        async with self._engine.begin() as connection:
            if int(await connection.scalar(select(func.count()).where(mine)) or 0) >= MOST_OPEN:
                message = f"You have {MOST_OPEN} batches under way: make another when one has ended."
                raise ApiError(HTTPStatus.TOO_MANY_REQUESTS, message, code="too_many_batches")
            await connection.execute(insert(batch_jobs).values(values))
        return await self.get(caller, str(values["id"]))

    async def get(self, caller: Caller, batch_id: str) -> Row[Any]:
        """One batch.

        Raises:
            ApiError: 404, there is none for the caller.
        """
        query = select(batch_jobs).where(batch_jobs.c.id == batch_id, batch_jobs.c.owner == caller.owner)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise not_found("batch", batch_id)
        return row

    async def page(self, caller: Caller, page: Page) -> list[Row[Any]]:
        """A page of batches, and one more where there is another page."""
        query = select(batch_jobs).where(batch_jobs.c.owner == caller.owner)
        async with self._engine.connect() as connection:
            return list(await connection.execute(page.of(query, batch_jobs, "id")))

    async def cancel(self, caller: Caller, batch_id: str) -> Row[Any]:
        """Ends a batch; what is answered by then is in its files.

        Raises:
            ApiError: 404, there is none for the caller; 409, it has ended.
        """
        row = await self.get(caller, batch_id)
        if row.status not in OPEN:
            message = f"The batch {batch_id!r} is {row.status} already."
            raise ApiError(HTTPStatus.CONFLICT, message, code="batch_ended")
        running = and_(batch_jobs.c.id == batch_id, batch_jobs.c.status.in_(("validating", "in_progress")))
        # Whoever runs it finds out when its lease is to be kept; only then its files are written.
        quiet = now_ms() + 2 * KEEP_SECONDS * 1000 if row.lease else 0
        ending = {"status": "cancelling", "times": _begun(row, "cancelling"), "lease": None, "lease_ms": quiet}
        async with self._engine.begin() as connection:
            await connection.execute(update(batch_jobs).where(running).values(**ending))
        return await self.get(caller, batch_id)

    async def counts(self, batch_ids: list[str]) -> dict[str, tuple[int, int]]:
        """Lines of batches that succeeded, and that failed."""
        columns = (batch_lines.c.batch_id, func.count(), func.coalesce(func.sum(batch_lines.c.succeeded), 0))
        query = select(*columns).where(batch_lines.c.batch_id.in_(batch_ids)).group_by(batch_lines.c.batch_id)
        async with self._engine.connect() as connection:
            found = {name: (int(good), int(all_) - int(good)) for name, all_, good in await connection.execute(query)}
        return {batch_id: found.get(batch_id, (0, 0)) for batch_id in batch_ids}

    async def take(self) -> Row[Any] | None:
        """The next batch to work on, leased; None where there is none."""
        now, lease = now_ms(), secrets.token_hex(8)
        free = and_(batch_jobs.c.status.in_(OPEN), batch_jobs.c.lease_ms <= now)
        query = select(batch_jobs).where(free).order_by(batch_jobs.c.created_ms).limit(10)
        async with self._engine.connect() as connection:
            candidates = list(await connection.execute(query))
        for row in candidates:
            taken = update(batch_jobs).where(batch_jobs.c.id == row.id, free)
            async with self._engine.begin() as connection:
                if (await connection.execute(taken.values(lease=lease, lease_ms=now + self._lease_ms))).rowcount:
                    return (await connection.execute(select(batch_jobs).where(batch_jobs.c.id == row.id))).one()
        return None

    async def keep(self, row: Row[Any], **values: object) -> None:
        """Goes on with a batch, and notes what is new.

        Raises:
            LostError: It is another's, or was cancelled.
        """
        await self._held(row, lease_ms=now_ms() + self._lease_ms, **values)

    async def give_back(self, row: Row[Any], **values: object) -> None:
        """Lets another go on with a batch.

        Raises:
            LostError: It is another's, or was cancelled.
        """
        await self._held(row, lease=None, lease_ms=0, **values)

    async def _held(self, row: Row[Any], **values: object) -> None:
        held = and_(batch_jobs.c.id == row.id, batch_jobs.c.lease == row.lease)
        async with self._engine.begin() as connection:
            if not (await connection.execute(update(batch_jobs).where(held).values(**values))).rowcount:
                raise LostError

    async def done(self, batch_id: str) -> set[int]:
        """The lines that are answered."""
        async with self._engine.connect() as connection:
            return set(await connection.scalars(select(batch_lines.c.line).where(batch_lines.c.batch_id == batch_id)))

    async def record(self, batch_id: str, line: int, result: str, *, succeeded: bool) -> None:
        """Keeps a line's answer, unless it has one."""
        dialect = sqlite if self._engine.dialect.name == "sqlite" else postgresql
        values = {
            "batch_id": batch_id,
            "line": line,
            "succeeded": int(succeeded),
            "result": result.replace("\\u0000", ""),
        }
        async with self._engine.begin() as connection:
            await connection.execute(dialect.insert(batch_lines).values(values).on_conflict_do_nothing())
            moved = update(batch_jobs).where(batch_jobs.c.id == batch_id).values(moved_ms=now_ms())
            await connection.execute(moved)

    async def ages(self) -> Ages:
        """Seconds that batches wait, by owner."""
        table = batch_jobs.c
        columns = (table.owner, table.status, func.min(table.created_ms), func.min(table.moved_ms))
        query = select(*columns).where(table.status.in_(OPEN)).group_by(table.owner, table.status)
        ages = Ages({}, {})
        async with self._engine.connect() as connection:
            for owner, status, created, moved in await connection.execute(query):
                kind, since = (ages.waiting, created) if status == "validating" else (ages.idle, moved)
                kind[owner] = max(kind.get(owner, 0.0), (now_ms() - since) / 1000)
        return ages

    async def written(self, row: Row[Any]) -> None:
        """Drops the texts of answers, which are in the batch's files by now."""
        async with self._engine.begin() as connection:
            await connection.execute(update(batch_lines).where(batch_lines.c.batch_id == row.id).values(result=""))

    async def results(self, batch_id: str, *, succeeded: bool, after: int, most: int) -> list[Row[Any]]:
        """Answers in the order of their lines."""
        ours = and_(batch_lines.c.batch_id == batch_id, batch_lines.c.succeeded == int(succeeded))
        query = select(batch_lines).where(ours, batch_lines.c.line > after).order_by(batch_lines.c.line).limit(most)
        async with self._engine.connect() as connection:
            return list(await connection.execute(query))

    async def sweep(self) -> None:
        """Forgets batches that ended a month ago, and their lines; their files stay."""
        month_ago = now_ms() - KEPT_DAYS * 24 * 3600 * 1000
        old = and_(batch_jobs.c.created_ms < month_ago, batch_jobs.c.status.not_in(OPEN))
        async with self._engine.begin() as connection:
            gone = select(batch_jobs.c.id).where(old)
            await connection.execute(delete(batch_lines).where(batch_lines.c.batch_id.in_(gone)))
            await connection.execute(delete(batch_jobs).where(old))


def _begun(row: Row[Any], status: str) -> dict[str, int]:
    return {**row.times, status: int(time.time())}
