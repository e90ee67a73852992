"""HTTP as uvicorn speaks it, with bounds on what a client sends and leaves unread, and errors in OpenAI's shape."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from starlette.types import ASGIApp
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from serve_app.gateway.api.errors import error_body
from serve_app.gateway.http.head_with_body import HeadWithBody
from serve_app.gateway.http.http10 import until_closed
from serve_app.gateway.http.open_files import most_connections
from serve_app.gateway.http.request_id import new_request_id
from serve_app.gateway.http.request_parser import RequestParser
from serve_app.gateway.http.unfinished_head import UnfinishedHead

MOST_HEAD_BYTES = 64 * 1024
"""Of path, query and headers together; the usual servers allow 8 to 64 KiB."""
HEAD_SECONDS = 60.0
"""For a head to arrive, and for the first one on a new connection to begin."""
MOST_OVERHEAD_BYTES = 64 * 1024
"""Of a request after its head that bring no body: extensions of chunks, trailers."""
MOST_PIPELINED = 32
"""Requests that may wait behind one that is being answered on the same connection."""
CONNECTION = "ray_vllm_stack.connection"
"""Key of a scope's extensions: the request's `Protocol`."""
_LINGER_SECONDS = 2.0
_HEAD = b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %s\r\nconnection: close\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """One connection.

    Without these limits, anybody can fill the memory with a header or trailer that does not end, or hold connections by
    sending slowly or not reading, before there is a request whose key could be checked.
    """

    write_seconds = 60.0
    """How long a client may leave the end of a response unread."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = RequestParser(self)  # type: ignore[assignment]
        self._in_head = False
        self._overhead_bytes = 0
        self._has_body = False
        self._head = UnfinishedHead()
        """The head's pieces, where it does not come in one."""
        self._whole_bytes = 0
        """Of its headers, as far as they are complete."""
        self._status = HTTPStatus.BAD_REQUEST
        self._refused = False
        self._limit: asyncio.TimerHandle | None = None
        self._flushing: asyncio.TimerHandle | None = None
        self._offered = False
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
    def write_paused(self) -> bool:
        """Whether the client has to read before more can be sent."""
        return self.flow.write_paused

    def abort(self) -> None:
        """Ends the connection at once, with what was not sent."""
        self.transport.abort()

    @property
    def request_arrived(self) -> bool:
        """Whether all of the last request is there."""
        return not self.cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts, unless there are too many connections for the files that the process may open."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._begin_limit()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when the connection has closed."""
        self._end_limit()
        if self._flushing is not None:
            self._flushing.cancel()
        if self._left is not None:
            self._left()
        super().connection_lost(exc)
        self._drop_head()

    def data_received(self, data: bytes) -> None:
        """Called with what arrived."""
        if self._refused:
            return
        self._has_body = False
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if not self._in_head:
            # A trailer is gathered by the parser before it is told, an extension of a chunk is never told.
            self._overhead_bytes = 0 if self._has_body else self._overhead_bytes + len(data)
            if self._overhead_bytes > MOST_OVERHEAD_BYTES and self.cycle is not None and self.cycle.more_body:
                self._refuse(HTTPStatus.BAD_REQUEST)
        else:
            # What the parser holds of a header that is not complete; heads in one piece never come here.
            fits = self._head.add(len(data))
            if self._head.size > MOST_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            elif not fits:
                self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            elif self._limit is None:
                self._begin_limit()

    def on_message_begin(self) -> None:
        """A request's first byte."""
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: self}  # type: ignore[dict-item]  # it is for this process only
        self._in_head = True
        self._head.end()
        self._whole_bytes = self._overhead_bytes = 0

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._has_body = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of the request; one that offers an upgrade only begins again."""
        if not self._offered:
            super().on_message_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one that comes after the body is dropped."""
        if self._in_head:
            self._whole_bytes += len(name) + len(value)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The end of its head."""
        self._offered = self.parser.is_offered_upgrade  # type: ignore[attr-defined]
        if self._offered:
            return
        self._in_head = False
        self._head.end()
        if self._limit is not None:
            self._end_limit()
        if self._whole_bytes + len(self.url) > MOST_HEAD_BYTES:
            self._status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError  # ends the parsing; the parser's error then leads to `send_400_response`
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The end of a response. A body that was not read would be taken for the next request's: no other comes."""
        if self._flushing is None and not self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._flushing = self.loop.call_later(self.write_seconds, self._look_whether_read)
        if self.cycle.more_body and not self.pipeline:
            self.transport.close()
        if self.cycle.response_complete and not self._in_head:
            # A connection that waits for its next request keeps nothing of the last one.
            self.cycle.scope = {}  # type: ignore[typeddict-item]
            self._drop_head()
        super().on_response_complete()

    def _look_whether_read(self) -> None:
        self._flushing = None
        if self.transport.get_write_buffer_size() and (self.cycle is None or self.cycle.response_complete):
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request, or has too large a head; whose clients they are is not known here."""
        self._refuse(self._status)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.scope["http_version"] == "1.0":
            app = cast("ASGI3Application", until_closed(cast("ASGIApp", app), cycle))
        elif cycle.scope["method"] != "HEAD":
            cycle.transport = cast("asyncio.Transport", HeadWithBody(cycle))
        super()._start_asgi_task(cycle, app)

    def _refuse(self, status: HTTPStatus) -> None:
        self._refused = True
        self._end_limit()
        self._drop_head()
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # nothing may come in between an answer that has begun
            return
        body = error_body(status, _MESSAGES[status])
        request_id = new_request_id()
        self.transport.write(STATUS_LINE[status] + _HEAD % (len(body), request_id) + body)
        self.transport.write_eof()
        # Closed at once, the rest of the request would have it reset, which may overtake the answer.
        self._limit = self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _drop_head(self) -> None:
        self._head.end()
        # A request that runs has its own reference. The scope refers to this object: with it, both would stay until the
        # garbage collector comes.
        self.headers, self.scope = [], {}  # type: ignore[typeddict-item]

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


_MESSAGES = {
    HTTPStatus.SERVICE_UNAVAILABLE: "The gateway has as many connections or heads of requests as it may: retry later.",
    HTTPStatus.BAD_REQUEST: "This is not a valid HTTP request.",
    HTTPStatus.REQUEST_TIMEOUT: f"The request's headers did not arrive in {HEAD_SECONDS:g} s: send it again.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        f"The request's path and headers are larger than {MOST_HEAD_BYTES} bytes: send less in them."
    ),
}
