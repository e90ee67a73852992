"""A sliding window counter over one minute, and what clients are told about it.

A window has two counts: of this minute of the clock, and of the minute before. What came in the last 60 seconds is
taken to be `floor(previous * seconds left of this minute / 60) + current`, which is exact if the previous minute's came
evenly spread. Times are whole milliseconds and the arithmetic is that of integers, so that Redis's Lua comes to the
same numbers (`redis_scripts`).
"""

import math
from typing import NamedTuple

MINUTE = 60
MINUTE_MS = 60_000


class Window(NamedTuple):
    """How a window stood at one moment."""

    previous: int = 0
    """The count of the minute before."""
    current: int = 0
    """The count of this minute."""
    left_ms: int = MINUTE_MS
    """What is left of this minute, 1 to 60,000 ms."""

    def left(self, limit: int) -> int:
        """How many more may come."""
        return max(0, limit - self.previous * self.left_ms // MINUTE_MS - self.current)

    def seconds_to_next(self, limit: int) -> float:
        """How long it takes until one more may come, if none comes until then."""
        if self.left(limit):
            return 0.0
        left = self.left_ms / 1000
        if self.current < limit:  # the previous minute's count has to fade
            return left - (limit - self.current) * MINUTE / self.previous
        return left + MINUTE * (1 - limit / self.current)  # this minute's count fades in the next one

    def seconds_to_empty(self) -> float:
        """How long it takes until the count is 0, if none comes until then."""
        if self.current:
            return self.left_ms / 1000 + MINUTE
        return self.left_ms / 1000 if self.previous else 0.0


EMPTY = Window()


class WindowCounter:
    """A window in memory."""

    __slots__ = ("_current", "_minute", "_previous")

    def __init__(self) -> None:
        self._minute = 0
        self._previous = 0
        self._current = 0

    def at(self, now_ms: int) -> Window:
        """How it stands."""
        self._advance(now_ms // MINUTE_MS)
        return Window(self._previous, self._current, MINUTE_MS - now_ms % MINUTE_MS)

    def add(self, now_ms: int, amount: int) -> None:
        """Counts, also above any limit; a negative amount takes back what was counted in the same minute."""
        self._advance(now_ms // MINUTE_MS)
        self._current = max(0, self._current + amount)

    def idle(self, now_ms: int) -> bool:
        """Whether nothing of it counts any more."""
        return now_ms // MINUTE_MS > self._minute + 1

    def _advance(self, minute: int) -> None:
        if minute != self._minute:
            self._previous = self._current if minute == self._minute + 1 else 0
            self._current = 0
            self._minute = minute


def duration(seconds: float) -> bytes:
    """A time as OpenAI writes it in its headers: `12ms`, `6s`, `1m0s`."""
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds < 1000:
        return b"%dms" % milliseconds
    minutes, rest = divmod(math.ceil(seconds), 60)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest
