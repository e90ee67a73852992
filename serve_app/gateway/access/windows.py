"""Requests or tokens of a minute, as a sliding window counter: this minute's count, and a share of the last one's.

The share shrinks from 1 to 0 while this minute passes, so that a limit holds for any 60 seconds if what came in the
last minute came evenly (https://blog.cloudflare.com/counting-things-a-lot-of-different-things/).
"""

import math
import time
from typing import NamedTuple

MINUTE = 60


class Window(NamedTuple):
    """A count as it stands."""

    previous: int = 0
    previous_ttl: float = 0.0
    """Seconds until the previous minute does not count any more."""
    current: int = 0
    current_ttl: float = 0.0
    """Seconds until this minute's count does not count any more: what is left of this minute, and the next one."""

    def left(self, limit: int) -> int:
        """How many may still come."""
        counted = math.floor(self.previous * self.previous_ttl / MINUTE) + self.current
        return max(0, limit - max(0, counted))

    def seconds_to_next(self, limit: int) -> float:
        """How long it takes until one more may come, if none comes until then."""
        if self.left(limit):
            return 0.0
        if self.current < limit:  # so the previous minute's count has to fade
            return self.previous_ttl - (limit - self.current) * MINUTE / self.previous
        # This minute's count fades in the next one only.
        return self.current_ttl - MINUTE + MINUTE * (1 - limit / self.current)

    def seconds_to_empty(self) -> float:
        """How long it takes until all may come again, if none comes until then."""
        return self.current_ttl if self.current > 0 else self.previous_ttl


EMPTY = Window()


class Windows:
    """Counts in memory, by key; those of old minutes are dropped."""

    def __init__(self) -> None:
        self._counts: dict[int, dict[str, int]] = {}

    def __len__(self) -> int:
        return sum(len(counts) for counts in self._counts.values())

    def read(self, key: str) -> Window:
        """How a count stands."""
        minute, second = divmod(time.time(), MINUTE)
        previous = self._counts.get(int(minute) - 1, {}).get(key, 0)
        current = self._counts.get(int(minute), {}).get(key, 0)
        return Window(previous, MINUTE - second if previous else 0.0, current, 2 * MINUTE - second)

    def count(self, key: str, amount: int = 1) -> None:
        """Adds to this minute's count, whatever the limit is; a negative amount takes back what was reserved."""
        minute = int(time.time() // MINUTE)
        counts = self._counts.get(minute)
        if counts is None:
            self._counts = {kept: old for kept, old in self._counts.items() if kept == minute - 1}
            counts = self._counts[minute] = {}
        counts[key] = counts.get(key, 0) + amount


def duration(seconds: float) -> bytes:
    """A time as OpenAI writes it in its headers: `12ms`, `6s`, `1m0s`."""
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds < 1000:
        return b"%dms" % milliseconds
    minutes, rest = divmod(math.ceil(seconds), 60)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest
