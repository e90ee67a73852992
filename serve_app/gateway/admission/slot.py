"""A slot of a model that is held."""

from typing import Protocol

from prometheus_client import Gauge


class _Queue(Protocol):
    def leave(self, group: str, *, background: bool) -> None:
        """Gives a slot back."""


class Slot:
    """A slot that is held."""

    __slots__ = ("_background", "_group", "_in_flight", "_queue", "waited_seconds")

    def __init__(self, queue: _Queue, group: str, in_flight: Gauge, waited_seconds: float, *, background: bool) -> None:
        """Begins.

        Args:
            queue: Whose slot it is.
            group: Who holds it.
            in_flight: Counts the slots that are held.
            waited_seconds: How long it took to get.
            background: Whether nobody waits for the answer.
        """
        self._queue: _Queue | None = queue
        self._group = group
        self._background = background
        self._in_flight = in_flight
        self.waited_seconds = waited_seconds
        in_flight.inc()

    def release(self) -> None:
        """Gives the slot back; a second time does nothing."""
        queue, self._queue = self._queue, None
        if queue is not None:
            self._in_flight.dec()
            queue.leave(self._group, background=self._background)
