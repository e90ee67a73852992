"""A limit for how long a block may take, for the hot path."""

import asyncio
from types import TracebackType


class deadline:  # noqa: N801  # a context manager, named for how it reads, as asyncio.timeout is
    """Raises `TimeoutError` where the block takes longer; as `asyncio.timeout`, at half of its price.

    That one can be moved, and asks for the running loop and task four times: 2.4 µs in place of 1.3.
    """

    __slots__ = ("_cancelling", "_late", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        """Takes the limit."""
        self._seconds = seconds

    def __enter__(self) -> None:
        """Starts the clock."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101  # entered from a coroutine
        self._task = task
        self._cancelling = task.cancelling()
        self._late = False
        self._timer = loop.call_later(self._seconds, self._over)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops it."""
        self._timer.cancel()
        if self._late and self._task.uncancel() <= self._cancelling and exc_type is asyncio.CancelledError:
            raise TimeoutError from exc

    def _over(self) -> None:
        self._late = True
        self._task.cancel()
