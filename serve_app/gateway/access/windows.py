"""A minute's window as the library `limits` counts it, and what clients are told about it."""

import math
from typing import NamedTuple

MINUTE = 60

UNLIMITED = 2**53 - 1
"""A limit that everything passes; the largest whole number that Redis's Lua counts without rounding."""


class Window(NamedTuple):
    """A sliding window counter: this minute's count, and the last one's, which counts for less with each second."""

    previous: int = 0
    previous_ttl: float = 0.0
    """Seconds until the previous minute does not count any more."""
    current: int = 0
    current_ttl: float = 0.0
    """Seconds until this minute's count does not count any more: what is left of this minute, and the next one."""

    def left(self, limit: int) -> int:
        """How many may still come, by the same rounding as the library's."""
        return max(0, limit - math.floor(self.previous * self.previous_ttl / MINUTE) - self.current)

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
        return self.current_ttl if self.current else self.previous_ttl


EMPTY = Window()


def duration(seconds: float) -> bytes:
    """A time as OpenAI writes it in its headers: `12ms`, `6s`, `1m0s`."""
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds < 1000:
        return b"%dms" % milliseconds
    minutes, rest = divmod(math.ceil(seconds), 60)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest
