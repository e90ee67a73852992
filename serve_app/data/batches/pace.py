"""How many lines are asked at once: more while that goes well, half as many when there is no room for them.

As TCP finds its window (RFC 5681): twice as many in each round until the first refusal, from then on one more.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Self

_LEAST, _FIRST = 1, 4
_QUIET_SECONDS = 1.0
"""After a refusal; those that were sent before it count as the same."""


class Pace:
    """A limit that finds its own size, for one batch: what its team may not do slows no other team's."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Starts small.

        Args:
            most: Requests at once at most.
            clock: Tells the time in seconds.
        """
        self._most = most
        self._clock = clock
        self._limit = float(min(_FIRST, most))
        self._running = 0
        self._paused_until = 0.0
        self._refused_at: float | None = None
        self._changed = asyncio.Condition()

    @property
    def limit(self) -> int:
        """Requests at once at the moment."""
        return int(self._limit)

    async def __aenter__(self) -> Self:
        async with self._changed:
            await self._changed.wait_for(lambda: self._running < self.limit)
            self._running += 1
        try:
            await asyncio.sleep(max(0, self._paused_until - self._clock()))
        except asyncio.CancelledError:
            self._running -= 1
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        async with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def went_well(self) -> None:
        """Allows one more until the first refusal; after it, one for as many as there are at once."""
        more = 1.0 if self._refused_at is None else 1 / self._limit
        self._limit = min(self._most, self._limit + more)

    def refused(self, seconds: float) -> None:
        """Allows half as many, and none before some seconds have passed."""
        now = self._clock()
        self._paused_until = max(self._paused_until, now + seconds)
        if self._refused_at is None or now - self._refused_at >= _QUIET_SECONDS:
            self._limit = max(_LEAST, self._limit / 2)
            self._refused_at = now
