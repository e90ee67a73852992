"""HTTP as uvicorn speaks it, with what it lacks: limits on a request's head, and refusals in the API's error shape."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from serve_app.gateway.api.errors import error_body
from serve_app.gateway.http.request_id import new_request_id

MOST_HEAD_BYTES = 64 * 1024
"""Of path, query and headers together; the usual servers allow 8 to 64 KiB."""
HEAD_SECONDS = 60.0
"""For a head to arrive, and for the first one on a new connection to begin."""
CONNECTION = "ray_vllm_stack.connection"
"""Key of a scope's extensions: the request's `Protocol`."""
_LINGER_SECONDS = 2.0
_HEAD = b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %s\r\nconnection: close\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """One connection.

    Without these limits, anybody can fill the memory with a header that does not end, or hold connections by sending
    one slowly, before there is a request whose key could be checked.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Takes what uvicorn gives it."""
        super().__init__(config, server_state, app_state, _loop)
        self._in_head = False
        self._head_bytes = 0
        """Of the head's pieces, where it does not come in one."""
        self._whole_bytes = 0
        """Of its headers, as far as they are complete."""
        self._status = HTTPStatus.BAD_REQUEST
        self._refused = False
        self._limit: asyncio.TimerHandle | None = None
        self._left: Callable[[], None] | None = None

    def when_left(self, left: Callable[[], None] | None) -> None:
        """Has this called when the client leaves. ASGI's way to know it, `receive`, takes a task for each request.

        Args:
            left: What to call, once the body was read; None for nothing any more.
        """
        self._left = left
        if left is not None:
            self.flow.resume_reading()  # a large body may have paused it, and who leaves would not be seen
            if self.transport.is_closing():
                self.loop.call_soon(left)

    @property
    def request_arrived(self) -> bool:
        """Whether all of the last request is there."""
        return not self.cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins."""
        super().connection_made(transport)
        self._begin_limit()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends."""
        self._end_limit()
        if self._left is not None:
            self._left()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what arrived."""
        if self._refused:
            return
        super().data_received(data)
        if self._in_head and not self._refused:
            # What the parser holds of a header that is not complete; heads in one piece never come here.
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            elif self._limit is None:
                self._begin_limit()

    def on_message_begin(self) -> None:
        """A request's first byte."""
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: self}  # type: ignore[dict-item]  # it is for this process only
        self._in_head = True
        self._head_bytes = self._whole_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one that comes after the body is dropped."""
        if self._in_head:
            self._whole_bytes += len(name) + len(value)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The end of its head."""
        self._in_head = False
        if self._limit is not None:
            self._end_limit()
        if self._whole_bytes + len(self.url) > MOST_HEAD_BYTES:
            self._status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError  # ends the parsing; the parser's error then leads to `send_400_response`
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request, or has too large a head; whose clients they are is not known here."""
        self._refuse(self._status)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.scope["method"] != "HEAD":
            cycle.transport = cast("asyncio.Transport", _WithHead(cycle))
        super()._start_asgi_task(cycle, app)

    def _refuse(self, status: HTTPStatus) -> None:
        self._refused = True
        self._end_limit()
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # nothing may come in between an answer that has begun
            return
        body = error_body(status, _MESSAGES[status])
        request_id = new_request_id()
        self.transport.write(STATUS_LINE[status] + _HEAD % (len(body), request_id) + body)
        self.transport.write_eof()
        # Closed at once, the rest of the request would have it reset, which may overtake the answer.
        self._limit = self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _begin_limit(self) -> None:
        self._limit = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _end_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _too_slow(self) -> None:
        self._limit = None
        if self._in_head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()


class _WithHead:
    """What a response writes to until its head is sent: that waits for the first piece of the body.

    Both come one right after the other, and each write is a system call, a packet, and a wake-up of the client.
    """

    __slots__ = ("_cycle", "_head", "_transport", "is_closing")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._transport = cycle.transport
        self._head = b""
        self.is_closing = self._transport.is_closing

    def write(self, data: bytes) -> None:
        if not self._cycle.response_started:  # "100 Continue"
            self._transport.write(data)
        elif not self._head:
            self._head = data
        else:
            self._cycle.transport = self._transport
            self._transport.write(self._head + data)

    def close(self) -> None:
        if self._head:
            self._transport.write(self._head)
        self._transport.close()


_MESSAGES = {
    HTTPStatus.BAD_REQUEST: "This is not a valid HTTP request.",
    HTTPStatus.REQUEST_TIMEOUT: f"The request's headers did not arrive in {HEAD_SECONDS:g} s: send it again.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        f"The request's path and headers are larger than {MOST_HEAD_BYTES} bytes: send less in them."
    ),
}
