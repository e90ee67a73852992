"""Conversations that clients go on from by `previous_response_id`, in the memory of the one process that keeps them."""

import time
from collections import OrderedDict
from collections.abc import Callable

from serve_app.settings.agent import Conversations as Settings


class Conversations:
    """Keeps as many as fit, and the latest longest."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Starts with none.

        Args:
            settings: How much is kept.
            clock: Tells the time in seconds.
        """
        self._settings = settings
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    def get(self, response_id: str) -> bytes:
        """The conversation up to a response; empty if it is not there any more."""
        self._forget()
        return self._kept.get(response_id, (0.0, b""))[1]

    def put(self, response_id: str, conversation: bytes) -> bool:
        """Keeps a conversation; tells whether it fits."""
        if len(conversation) > self._settings.bytes:
            return False
        self._kept[response_id] = self._clock() + self._settings.seconds, conversation
        self._bytes += len(conversation)
        self._forget()
        return True

    def _forget(self) -> None:
        now, settings = self._clock(), self._settings
        while self._kept and (
            len(self._kept) > settings.max or self._bytes > settings.bytes or next(iter(self._kept.values()))[0] <= now
        ):
            _, (_, conversation) = self._kept.popitem(last=False)
            self._bytes -= len(conversation)
