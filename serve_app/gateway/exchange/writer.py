"""The only way to the client: ASGI's send, with the gateway's headers, and a note in the record of what was sent."""

import asyncio
import time
from collections.abc import Iterable
from typing import Protocol

from starlette.types import Message, Send

from serve_app.gateway.api.errors import ApiError, Header
from serve_app.gateway.exchange.record import RequestRecord


class StalledError(Exception):
    """The client does not read; its connection was ended."""


class Connection(Protocol):
    """A client's connection."""

    @property
    def write_paused(self) -> bool:
        """Whether the client has to read before more can be sent."""

    @property
    def request_arrived(self) -> bool:
        """Whether all of the request was received."""

    def abort(self) -> None:
        """Ends it at once."""


class ResponseWriter:
    """Sends one response, and gives a client that does not read it up."""

    __slots__ = ("_connection", "_headers", "_record", "_send", "_write_seconds")

    def __init__(
        self,
        send: Send,
        record: RequestRecord,
        connection: Connection,
        *,
        write_seconds: float = 60,
        headers: Iterable[Header] = (),
        closing: bool = False,
    ) -> None:
        """Prepares the headers that every response has.

        Args:
            send: ASGI's send.
            record: The request.
            connection: The client's.
            write_seconds: How long the client may not read.
            headers: Further headers.
            closing: Asks the client to use another connection for its next request.
        """
        self._connection = connection
        self._write_seconds = write_seconds
        self._record = record
        self._send = send
        self._headers: list[Header] = [(b"x-request-id", record.request_id)]
        if record.shape == "anthropic":
            self._headers.append((b"request-id", record.request_id))  # where Anthropic's clients look for it
        self._headers += headers
        if closing:
            self._headers.append((b"connection", b"close"))

    @property
    def started(self) -> bool:
        """Whether the status was sent."""
        return bool(self._record.status)

    async def send(self, message: Message) -> None:
        """ASGI's send, for applications behind the gateway."""
        if message["type"] == "http.response.start":
            await self.start(message["status"], message.get("headers", ()))
        else:
            await self.write(message.get("body", b""), more=message.get("more_body", False))

    def add_headers(self, headers: Iterable[Header]) -> None:
        """Adds headers to the response, whatever it will be."""
        self._headers += headers

    async def start(self, status: int, headers: Iterable[Header]) -> None:
        """Sends status and headers."""
        if not self._connection.request_arrived:  # what is left of the body must not be taken for a request
            self._headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self._headers]})
        self._record.status = status

    async def write(self, body: bytes, *, more: bool) -> None:
        """Sends a piece of the body.

        Args:
            body: The piece.
            more: Whether another one follows.
        """
        record = self._record
        if not record.first_byte_at:
            record.first_byte_at = time.perf_counter()
        record.bytes_sent += len(body)
        record.pieces_sent += 1
        await self._body(body, more)
        record.complete = not more

    async def comment(self, body: bytes) -> None:
        """Sends what is not part of the answer, so that its first byte is still to come."""
        await self._body(body, more=True)

    async def _body(self, body: bytes, more: bool) -> None:
        message = {"type": "http.response.body", "body": body, "more_body": more}
        if not self._connection.write_paused:
            await self._send(message)
            return
        try:
            async with asyncio.timeout(self._write_seconds):
                await self._send(message)
        except TimeoutError as error:
            self._record.stalled = True
            self._connection.abort()
            raise StalledError from error

    async def refuse(self, error: ApiError) -> None:
        """Responds with an error in the shape of the caller's API; as an event in a stream that has started."""
        record = self._record
        request_id = record.request_id.decode()
        if record.status:
            await self.write(error.event(record.shape, request_id), more=False)
            record.status = error.status
            return
        body = error.body(record.shape, request_id)
        content = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self.start(error.status, [*content, *error.headers])
        await self.write(body, more=False)
