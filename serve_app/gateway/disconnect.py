"""A client that leaves: what was going on for it is cancelled at once, so that a model's slot is not wasted on it."""

import asyncio
from types import TracebackType

from starlette.types import Message, Receive


class DisconnectError(Exception):
    """The client has closed its connection; there is nobody to answer."""


class cancelled_on_disconnect:  # noqa: N801  # a context manager, named for how it reads, as asyncio.timeout is
    """Cancels the block when the client leaves, and raises `DisconnectError` in its place.

    To be entered once the body was read: from then on ASGI's `receive` returns only when the client has left.
    """

    __slots__ = ("_gone", "_over", "_receive", "_task", "_watch")

    def __init__(self, receive: Receive) -> None:
        """Takes ASGI's receive."""
        self._receive = receive
        self._gone = False
        self._over = False

    def __enter__(self) -> None:
        """Starts to watch."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # entered from a coroutine
        self._task = task
        self._watch: asyncio.Future[Message] = asyncio.ensure_future(self._receive())
        self._watch.add_done_callback(self._left)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops to watch."""
        self._over = True
        self._watch.cancel()
        if self._gone:
            self._task.uncancel()
            if exc_type is None or exc_type is asyncio.CancelledError:
                raise DisconnectError from exc

    def _left(self, watch: asyncio.Future[Message]) -> None:
        if not watch.cancelled() and not self._over:
            self._gone = True
            self._task.cancel()
