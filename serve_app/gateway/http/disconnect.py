"""A client that leaves: what was going on for it is cancelled at once, so that a model's slot is not wasted on it."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Protocol


class DisconnectError(Exception):
    """The client has closed its connection; there is nobody to answer."""


class Connection(Protocol):
    """A client's connection."""

    def when_left(self, left: Callable[[], None] | None) -> None:
        """Has this called when the client leaves; None for nothing any more."""


class cancelled_on_disconnect:  # noqa: N801  # a context manager, named for how it reads, as asyncio.timeout is
    """Cancels the block when the client leaves, and raises `DisconnectError` in its place.

    To be entered once the body was read.
    """

    __slots__ = ("_connection", "_gone", "_over", "_task")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._gone = False
        self._over = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # entered from a coroutine
        self._task = task
        self._connection.when_left(self._left)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops watching."""
        self._over = True
        self._connection.when_left(None)
        if self._gone:
            self._task.uncancel()
            if exc_type is None or exc_type is asyncio.CancelledError:
                raise DisconnectError from exc

    def _left(self) -> None:
        if not self._over and not self._gone:
            self._gone = True
            self._task.cancel()
