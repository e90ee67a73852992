"""HTTP as uvicorn speaks it, with bounds on what a client sends and leaves unread, and errors in OpenAI's shape."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from starlette.types import ASGIApp
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from serve_app.gateway.http.http10 import until_closed
from serve_app.gateway.http.idle_connections import IdleConnections
from serve_app.gateway.http.linger import Linger
from serve_app.gateway.http.open_files import most_connections
from serve_app.gateway.http.refusals import HEAD_SECONDS, MOST_HEAD_BYTES, MOST_HEADERS, refusal
from serve_app.gateway.http.request_parser import RequestParser
from serve_app.gateway.http.response_transport import ResponseTransport
from serve_app.gateway.http.unfinished_head import UnfinishedHead

MOST_OVERHEAD_BYTES = 64 * 1024
"""Of a request after its head that bring no body: extensions of chunks, trailers."""
MOST_PIPELINED = 32
"""Requests that may wait behind one that is being answered on the same connection."""
CONNECTION = "ray_vllm_stack.connection"
"""Key of a scope's extensions: the request's `Protocol`."""


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
        *,
        idle: IdleConnections,
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
        self._idle = idle
        self._end: Linger | None = None
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
        """Starts, where need be in place of another: the files that the process may open bound their number."""
        super().connection_made(transport)
        if len(self.connections) > most_connections() and not self._idle.close_oldest():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._idle.add(self)
        self._begin_limit()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when the connection has closed."""
        self._end_limit()
        self._idle.remove(self)
        if self._end is not None:
            self._end.end()
        if self._flushing is not None:
            self._flushing.cancel()
        if self._left is not None:
            self._left()
        super().connection_lost(exc)
        self._drop_head()

    def data_received(self, data: bytes) -> None:
        """Called with what arrived."""
        if self._end is not None:
            self._end.drop(data)
            return
        self._has_body = False
        super().data_received(data)
        if self._end is not None or self.transport.is_closing():
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
        if self._whole_bytes + len(self.url) > MOST_HEAD_BYTES or len(self.headers) > MOST_HEADERS:
            self._status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError  # ends the parsing; the parser's error then leads to `send_400_response`
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError
        self._idle.remove(self)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The end of a response. A body that was not read would be taken for the next request's: no other comes."""
        if self._flushing is None and not self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._flushing = self.loop.call_later(self.write_seconds, self._look_whether_read)
        if self._end is not None:
            self.server_state.total_requests += 1
            return
        if self.cycle.more_body and not self.pipeline:
            self._linger()
            return
        if self.cycle.response_complete and not self._in_head:
            # A connection that waits for its next request keeps nothing of the last one.
            self.cycle.scope = {}  # type: ignore[typeddict-item]
            self._drop_head()
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._idle.add(self)

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
        if cycle.scope["method"] != "HEAD":
            cycle.transport = cast("asyncio.Transport", ResponseTransport(cycle, self._linger))
        super()._start_asgi_task(cycle, app)

    def _refuse(self, status: HTTPStatus) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # nothing may come in between an answer that has begun
        else:
            self.transport.write(refusal(status))
        self._linger()

    def _linger(self) -> None:
        self._end_limit()
        self._drop_head()
        self._end = Linger(self.transport, self.flow)
        self._idle.add(self)

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
