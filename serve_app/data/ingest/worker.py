"""Work that nobody waits for: files are taken in, what was deleted is forgotten, the vectors are looked after."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row

from serve_app.data.batches.progress import tell_ages
from serve_app.data.batches.records import Batches
from serve_app.data.batches.runner import Runner
from serve_app.data.errors import StoreAwayError
from serve_app.data.files.records import Files
from serve_app.data.ingest.ingestion import Ingestion
from serve_app.data.ingest.leases import Leases, LostError
from serve_app.data.metrics import Metrics
from serve_app.data.stores.records import Stores
from serve_app.data.vectors import VectorIndex

logger = logging.getLogger(__name__)

_BATCHES = 2
"""Batches that a replica runs at once."""


class Worker:
    """Runs in the background of each replica."""

    def __init__(
        self,
        leases: Leases,
        ingestion: Ingestion,
        stores: Stores,
        files: Files,
        index: VectorIndex,
        metrics: Metrics,
        batches: Batches,
        runner: Runner,
        *,
        concurrency: int,
        poll_seconds: float = 1,
        sweep_seconds: float = 10,
    ) -> None:
        """Joins the parts.

        Args:
            leases: The work of all replicas.
            ingestion: Does it.
            stores: Those that are to be swept.
            files: Those that are to be swept.
            index: Whose health is looked at.
            metrics: Where it is told.
            batches: Those that are to be swept.
            runner: Runs them.
            concurrency: Files at once.
            poll_seconds: Between two looks for work, where there was none.
            sweep_seconds: Between two sweeps.
        """
        self._leases = leases
        self._ingestion = ingestion
        self._stores = stores
        self._files = files
        self._index = index
        self._metrics = metrics
        self._batches = batches
        self._runner = runner
        self._concurrency = concurrency
        self._poll_seconds = poll_seconds
        self._sweep_seconds = sweep_seconds
        self._declared = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Works until the block ends; what is begun then is given back for another replica."""
        loops = [self._forever(self._ingest, self._poll_seconds) for _ in range(self._concurrency)]
        loops += [self._forever(self._runner, self._poll_seconds) for _ in range(_BATCHES)]
        loops += [self._forever(work, self._sweep_seconds) for work in (self._sweep, self._look)]
        loops.append(self._forever(self._tell, 5 * self._poll_seconds))
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _forever(self, work: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Repeats something, with a pause where it says that there is no more."""
        while True:
            more = False
            try:
                more = await work()
            except StoreAwayError as error:
                logger.warning("the vectors cannot be reached: %s", error)
            except Exception:
                logger.exception("background work failed, and is tried again")
            if not more:
                await asyncio.sleep(seconds)

    async def _ingest(self) -> bool:
        row = await self._leases.take()
        if row is None:
            return False
        try:
            await self._ingestion(row)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(row))
            raise
        return True

    async def _give_back(self, row: Row[Any]) -> None:
        try:
            await self._leases.end(row)
        except LostError:
            return

    async def _sweep(self) -> bool:
        if not self._declared:
            await self._stores.declare()
            self._declared = True
        await self._files.remove_expired()
        await self._batches.sweep()
        self._metrics.queue.set(await self._leases.waiting())
        await self._stores.sweep()
        return False

    async def _tell(self) -> bool:
        tell_ages(self._metrics, await self._batches.ages())
        return False

    async def _look(self) -> bool:
        up = self._metrics.store_up.labels(self._index.kind)
        try:
            await self._index.ping()
        except StoreAwayError:
            up.set(0)
            raise
        up.set(1)
        return False
