"""What a streaming client gets while it waits: the headers, then comments, so that nobody closes its connection.

Server-sent events know comments, lines that begin with a colon, which every client leaves out
(https://html.spec.whatwg.org/multipage/server-sent-events.html). The price is the status: once it was sent as 200, a
failure can only be told as an event. So it begins late, when common load balancers (60 s) are not far.
"""

import asyncio
import contextlib
from http import HTTPStatus

from serve_app.gateway.exchange.writer import ResponseWriter, StalledError
from serve_app.settings.gateway import KeepAlive

COMMENT = b": waiting for the model\n\n"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would hold comments back
]


class Heartbeat:
    """Keeps one client's connection alive until `stop`."""

    __slots__ = ("_every_seconds", "_response", "_task", "_timer")

    def __init__(self, response: ResponseWriter, settings: KeepAlive) -> None:
        """Starts the clock.

        Args:
            response: The response, nothing of which was sent.
            settings: When it begins.
        """
        self._response = response
        self._every_seconds = settings.every_seconds
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(settings.after_seconds, self._begin)

    def stop(self) -> None:
        """Ends it: from now on only the caller sends. Pieces are written whole, so none can be cut."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._comment())

    async def _comment(self) -> None:
        with contextlib.suppress(StalledError):  # the connection has ended, which ends the request
            await self._response.start(HTTPStatus.OK, _HEADERS)
            while True:
                await self._response.comment(COMMENT)
                await asyncio.sleep(self._every_seconds)
