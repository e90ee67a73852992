"""How many slots of a model work has that nobody waits for."""

import asyncio
import math
import time
from collections.abc import Callable

QUIET_SECONDS = 5.0
"""After the last request of others, until work in the background has all slots."""


class Background:
    """The share of one model's slots; all of them while nobody else asks the model."""

    def __init__(self, wake: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Starts with nobody.

        Args:
            wake: Called when it has become quiet.
            clock: Tells the time in seconds.
        """
        self._wake = wake
        self._clock = clock
        self._in_flight = 0
        self._others_at = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def room(self, in_flight: int, slots: int, percent: float) -> bool:
        """Whether one more may be asked.

        Args:
            in_flight: All requests in flight to the model, these included.
            slots: How many there may be; 0 for any number, of which there is no share.
            percent: The share while others ask.
        """
        if not slots:
            return True
        quiet_in = self._others_at + QUIET_SECONDS - self._clock()
        others = in_flight > self._in_flight
        if not others and quiet_in <= 0:
            return True
        if self._in_flight < max(1, math.floor(slots * percent / 100)):
            return True
        if not others and self._timer is None:  # else who leaves last comes here again
            self._timer = asyncio.get_running_loop().call_later(quiet_in, self._quiet)
        return False

    def entered(self, *, background: bool) -> None:
        """A request got a slot."""
        if background:
            self._in_flight += 1
        else:
            self._others_at = self._clock()

    def left(self, *, background: bool) -> None:
        """A request gave its slot back."""
        if background:
            self._in_flight -= 1
        else:
            self._others_at = self._clock()

    def _quiet(self) -> None:
        self._timer = None
        self._wake()
