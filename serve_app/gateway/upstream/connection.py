"""A connection to a model: HTTP/1 as httptools reads it, a response's pieces as they arrive."""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import cast

import httptools

from serve_app.gateway.upstream.errors import LostError, NotHttpError, SilentError

MOST_HEAD_BYTES = 64 * 1024
"""Limit for a response's status line and headers, and for what stands between two pieces of its body."""
HIGH_WATER = 64 * 1024
"""Bytes of a body that nobody has read; beyond that the model has to wait."""
WRITE_SECONDS = 60.0
"""How long a model may take nothing of a request that is too long for the socket's buffers."""


class Connection(asyncio.Protocol):
    """One connection, with one request at a time.

    Built on the parser because of what each piece costs: an HTTP client's layers take more CPU time than all the rest.
    """

    def __init__(
        self,
        idle: Callable[["Connection"], None],
        closed: Callable[["Connection"], None],
        proxy_header: bytes | None = None,
    ) -> None:
        """Prepares a connection for a transport.

        Args:
            idle: Called when it can take another request.
            closed: Called when it has closed.
            proxy_header: Header lines for an HTTP proxy at the other end, which wants whole URLs; None without one.
        """
        self._idle = idle
        self._closed = closed
        self.proxy_header = proxy_header
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._silence_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        self._ended = True
        self._reusable = True
        self._in_head = True
        self._unsolicited = self._has_body = False
        self._error: Exception | None = None
        self.used_at = 0.0
        """When it became idle, on the event loop's clock."""

    def send(self, head: bytes, body: Sequence[bytes | memoryview]) -> None:
        """Sends a request, its body in pieces, and forgets the response to the one before."""
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        """As they came, names in lower case."""
        self._pieces: list[bytes] = []
        self._size = self._head_bytes = 0
        self._in_head = True
        self._ended = self._reusable = False
        if self.is_open:  # otherwise `read` raises
            # Without an empty piece: asyncio's own loop never gets done with one on Python 3.13.
            self._transport.writelines((head, *(piece for piece in body if len(piece))))

    async def read(self) -> bytes:
        """The next piece of the response's body; empty at its end. Status and headers are there with the first.

        Raises:
            LostError: The connection ended before the response did.
            SilentError: Nothing came for too long, see `limit_silence`.
        """
        if not self._pieces and not self._ended:
            if self._error is not None:
                raise self._error
            self._waiter = self._loop.create_future()
            self._waiting_since = self._loop.time()
            try:
                await self._waiter
            finally:
                self._waiter = None
        pieces = self._pieces
        if not pieces:
            if self._ended:
                return b""
            assert self._error is not None  # noqa: S101  # nothing else wakes a reader
            raise self._error
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return piece

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent."""
        return not self._transport.is_closing()

    @property
    def at_end(self) -> bool:
        """Whether all of the response was read."""
        return self._ended and not self._pieces

    def limit_silence(self, seconds: float) -> None:
        """Makes `read` fail once it has waited for so long. One timer costs less than one for each piece."""
        self._silence_timer = self._loop.call_later(seconds, self._check_silence, seconds)

    def _check_silence(self, seconds: float) -> None:
        silent = self._loop.time() - self._waiting_since if self._waiter is not None else 0
        if silent >= seconds:
            self._fail(SilentError())
        else:
            self._silence_timer = self._loop.call_later(seconds - silent, self._check_silence, seconds)

    def release(self) -> None:
        """Keeps the connection for another request if the response was a success and read to its end; else closes it.

        Any other response may come from a node that is being drained.
        """
        if self._silence_timer is not None:
            self._silence_timer.cancel()
            self._silence_timer = None
        whole = self.at_end and self._reusable and not self._transport.get_write_buffer_size()
        if whole and self.status < HTTPStatus.MULTIPLE_CHOICES and self.is_open:
            self._idle(self)
        else:
            self.close()

    def close(self) -> None:
        """Closes it at once, so that the model stops working on the request."""
        self._reusable = False
        self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called when the connection is there; also for TLS that was started on it, with another transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when it has closed."""
        self.resume_writing()
        self._reusable = False
        if not self._ended and not self._in_head and self._until_closed and exc is None:
            self._ended = True
            self._wake()
        else:
            self._fail(LostError(str(exc or "it was closed")))
        self._closed(self)

    def pause_writing(self) -> None:
        """Called when a request is longer than what the model takes at once."""
        self._check_writing(None)

    def resume_writing(self) -> None:
        """Called when the model has taken almost all of it."""
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _check_writing(self, left_before: int | None) -> None:
        left = self._transport.get_write_buffer_size()
        if left == left_before:
            self._fail(LostError(f"the model took nothing of the request for {WRITE_SECONDS:g} s"))
            self.close()
        else:
            self._write_timer = self._loop.call_later(WRITE_SECONDS, self._check_writing, left)

    def data_received(self, data: bytes) -> None:
        """Called with what arrived, which must not be anything between two requests."""
        if self._ended:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._ended:  # otherwise it stands after the response, which is whole
                self._error = self._error or NotHttpError(str(error))
            self.close()
            self._wake()
            return
        if self._ended:
            self._wake()
        elif self._has_body:
            self._has_body = False
            self._head_bytes = 0
            if self._size > HIGH_WATER and not self._paused:
                self._paused = True
                self._transport.pause_reading()
            self._wake()
        else:  # headers, trailers, or what stands between chunks
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._fail(NotHttpError(f"its headers are larger than {MOST_HEAD_BYTES} bytes"))
                self.close()

    # httptools' callbacks

    def on_message_begin(self) -> None:
        """A response starts. After the one that was asked for it is unsolicited: it belongs to no request."""
        if self._ended:
            self._unsolicited = True
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers are dropped."""
        if self._in_head and not self._unsolicited:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The end of the head."""
        if self._unsolicited:
            return
        self.status = self._parser.get_status_code()
        if self.status >= HTTPStatus.OK:  # no informational one
            self._in_head = False
            self._until_closed = not any(
                name == b"content-length" or (name == b"transfer-encoding" and value.lower().endswith(b"chunked"))
                for name, value in self.headers
            )

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if not self._unsolicited:
            self._pieces.append(body)
            self._size += len(body)
            self._has_body = True

    def on_message_complete(self) -> None:
        """The end of the response, or of an informational one before it."""
        if self._unsolicited:
            return
        if self._in_head:
            self.headers.clear()
        else:
            self._ended = True
            self._reusable = self._parser.should_keep_alive()

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done() and (self._pieces or self._ended or self._error):
            self._waiter.set_result(None)
