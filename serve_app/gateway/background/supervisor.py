"""One owner of what runs beside requests: a task that fails is seen, counted and started again, not lost in silence."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from random import random

from prometheus_client import CollectorRegistry, Counter

logger = logging.getLogger(__name__)

MOST_SPAWNED = 1000
"""One-shot tasks at a time; a further one is left out and counted."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0

Work = Coroutine[object, object, object]


class Supervisor:
    """Runs background tasks until it is closed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._failures = Counter(
            "ray_vllm_gateway_background_failures_total",
            "Background tasks that failed, or were left out since too many ran.",
            ("task",),
            registry=registry,
        )
        self._tasks: set[asyncio.Task[object]] = set()
        self._spawned = 0

    @classmethod
    @asynccontextmanager
    async def running(cls, registry: CollectorRegistry) -> AsyncIterator["Supervisor"]:
        """A supervisor that ends its tasks at the end."""
        supervisor = cls(registry)
        try:
            yield supervisor
        finally:
            await supervisor.close()

    def run_forever(self, name: str, work: Callable[[], Work]) -> asyncio.Task[object]:
        """Runs work that never ends; where it does or fails it is begun again, after a pause that grows to 30 s.

        Args:
            name: Its name in logs and metrics.
            work: Begins it.

        Returns:
            What can be cancelled to end it before the others.
        """
        self._failures.labels(name)
        return self._start(self._forever(name, work))

    def spawn(self, name: str, work: Work) -> None:
        """Runs work that ends by itself.

        Args:
            name: Its name in logs and metrics.
            work: The work.
        """
        if self._spawned >= MOST_SPAWNED:
            work.close()
            self._failures.labels(name).inc()
            return
        self._spawned += 1
        self._start(self._once(name, work))

    async def close(self) -> None:
        """Cancels all tasks and waits for their end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Work) -> asyncio.Task[object]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _forever(self, name: str, work: Callable[[], Work]) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await work()
                logger.error("background task %s ended, it is begun again", name)
            except Exception:
                logger.exception("background task %s failed, it is begun again", name)
            self._failures.labels(name).inc()
            if asyncio.get_running_loop().time() - began > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause * (0.5 + random() / 2))  # noqa: S311  # nothing secret is drawn
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _once(self, name: str, work: Work) -> None:
        try:
            await work
        except Exception:
            logger.exception("background task %s failed", name)
            self._failures.labels(name).inc()
        finally:
            self._spawned -= 1
