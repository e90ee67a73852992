"""One attempt to get an answer from a model: over which connection, what counts as an answer, and why it failed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from serve_app.gateway.api.errors import Header, Shape
from serve_app.gateway.api.foreign_errors import normalise
from serve_app.gateway.exchange.endpoints import Endpoint
from serve_app.gateway.exchange.outcome import Reason
from serve_app.gateway.http.body import Pieces
from serve_app.gateway.upstream.connection import Connection
from serve_app.gateway.upstream.errors import LostError, NotHttpError
from serve_app.gateway.upstream.headers import to_client
from serve_app.gateway.upstream.pool import Pool

_MAX_ERROR_BODY = 1024 * 1024
"""Bytes; vLLM's lists of validation errors have 470,000 of them for a part without `detail`."""
_JSON = (b"content-type", b"application/json")
_ENGINE_DEAD = b"EngineCore encountered an issue."
"""How vLLM's `EngineDeadError` begins, which each request to a dead engine ends in, and each that it was working on."""
_STREAMED_ERROR = (b'data: {"error"', b"event: error")
"""How a stream begins that is an error and nothing else, which vLLM sends with status 200."""
_ANSWERED = b"x-pipeline-answered"
"""Of a pipeline's errors: its 503 is its own word, such as of a store that is away, not of a replica that is."""


class AttemptError(Exception):
    """No answer, and nothing of one was passed on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class BrokenStreamError(Exception):
    """An answer that ended before its end."""


@dataclass(slots=True)  # not frozen: that triples the cost of making one
class UpstreamRequest:
    """What is sent to a model, as often as it takes."""

    method: str
    endpoint: Endpoint
    headers: list[Header]
    body: Pieces
    shape: Shape
    """How the client expects errors."""
    request_id: str
    connect_seconds: float
    """Limit for name look-up and connection; the caller limits the rest."""


@dataclass(slots=True)
class Answer:
    """An answer whose first byte is there."""

    status: int
    headers: list[Header]
    first: bytes
    """The beginning of the body; all of it where `rest` is None."""
    rest: Connection | None
    is_event_stream: bool = False

    @property
    def more(self) -> bool:
        """Whether there is more of the body than was read."""
        return self.rest is not None and not self.rest.at_end

    def header(self, name: bytes) -> bytes | None:
        """The value of a header, by its lower-case name."""
        return next((value for each, value in self.headers if each == name), None)

    def set_header(self, name: bytes, value: bytes | None) -> None:
        """Replaces a header, by its lower-case name; None takes it out."""
        self.headers = [header for header in self.headers if header[0] != name]
        if value is not None:
            self.headers.append((name, value))

    def limit_silence(self, seconds: float) -> None:
        """Makes `read` fail once it has waited for so long."""
        if self.rest is not None:
            self.rest.limit_silence(seconds)

    async def read(self) -> bytes:
        """The next piece of the body, as it arrives; empty at the end.

        Raises:
            BrokenStreamError: The connection ended before the body did.
            SilentError: The model was silent for too long.
        """
        if self.rest is None:
            return b""
        try:
            return await self.rest.read()
        except LostError as error:
            raise BrokenStreamError(str(error)) from error

    def close(self) -> None:
        """Closes the connection unless the answer was read to its end, so that the model stops working on it."""
        if self.rest is not None:
            self.rest.release()
            self.rest = None


class Upstream:
    """The connections to all models."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def connected(cls) -> AsyncIterator["Upstream"]:
        """An upstream with a pool that is open."""
        async with Pool.opened() as pool:
            yield cls(pool)

    async def attempt(self, request: UpstreamRequest, fresh: bool) -> Answer:
        """Sends a request once and waits for the first byte of the answer's body.

        Headers alone are no answer yet: until the first byte of the body nothing has been passed on, so a replica that
        is lost while it reads the prompt can still be replaced by another. A connection is kept for reuse only after
        a success: any other may lead to a node that is being drained.

        Args:
            request: The request.
            fresh: Take a new connection, so that another node may be behind it.

        Raises:
            AttemptError: The connection failed, or what answered was not the model.
        """
        connection = await self._connected(request, fresh)
        answer = None
        try:
            connection.send(_head(request, connection.proxy_header), request.body)
            first = await connection.read()
            if connection.status >= HTTPStatus.MULTIPLE_CHOICES:
                return await _answer_of_error(connection, first, request)
            content_type = _value(connection, b"content-type")
            is_event_stream = content_type.startswith(b"text/event-stream")
            if is_event_stream and first.startswith(_STREAMED_ERROR) and _is_engine_dead(first, request):
                raise AttemptError(Reason.ENGINE_DEAD, first[:1000].decode("utf-8", "replace"))
            answer = Answer(connection.status, to_client(connection.headers), first, connection, is_event_stream)
        except NotHttpError as error:
            raise AttemptError(Reason.INVALID, f"the answer is not HTTP: {error}") from error
        except LostError as error:
            raise AttemptError(Reason.RESET, f"the connection ended before the answer: {error}") from error
        finally:
            if answer is None:
                connection.close()
        return answer

    async def _connected(self, request: UpstreamRequest, fresh: bool) -> Connection:
        try:
            origin = request.endpoint.origin
            return await self._pool.connection(origin, fresh=fresh, seconds=request.connect_seconds)
        except TimeoutError as error:
            raise AttemptError(Reason.CONNECT_TIMEOUT, f"no connection in {request.connect_seconds:g} s") from error
        except (OSError, UnicodeError) as error:  # the latter for what cannot be a host's name
            raise AttemptError(Reason.CONNECT, str(error)) from error


def _head(request: UpstreamRequest, proxy_header: bytes | None) -> bytes:
    endpoint = request.endpoint
    lines = b"".join([b"%s: %s\r\n" % header for header in request.headers])
    if lines.count(b"\n") != len(request.headers):
        raise ValueError("a header has more than one line")
    return b"%s %s HTTP/1.1\r\nhost: %s\r\ncontent-length: %d\r\n%s%s\r\n" % (
        request.method.encode(),
        endpoint.target if proxy_header is None else endpoint.url,
        endpoint.authority,
        sum([len(piece) for piece in request.body]),
        lines,
        proxy_header or b"",
    )


async def _answer_of_error(connection: Connection, first: bytes, request: UpstreamRequest) -> Answer:
    """Reads an answer that is no success; tells the model's own refusals from "not there (yet)".

    Raises:
        AttemptError: It was not the model that answered.
        LostError: The connection ended before the answer did.
    """
    status = connection.status
    body = await _read_at_most(connection, first, _MAX_ERROR_BODY)
    text = body[:1000].decode("utf-8", "replace")
    if status < HTTPStatus.BAD_REQUEST:
        location = _value(connection, b"location").decode("latin-1")
        raise AttemptError(Reason.INVALID, f"redirected to {location!r}")
    if status == HTTPStatus.SERVICE_UNAVAILABLE and not _value(connection, _ANSWERED):
        raise AttemptError(Reason.UNAVAILABLE, text)
    if status == HTTPStatus.NOT_FOUND and text.startswith("Path '") and "/-/routes" in text:
        # Ray Serve's proxy, HAProxy or replica, while an application starts or a cluster is swapped.
        raise AttemptError(Reason.NO_ROUTE, text)
    if (
        status == HTTPStatus.INTERNAL_SERVER_ERROR
        and body == b"Internal Server Error"
        and _value(connection, b"content-type") == b"text/plain"
    ):
        # Ray Serve lets HAProxy say this in place of its own 502, 503 and 504: no replica could be reached, or the
        # one that was ended without an answer. Python servers say the same words with a charset in the content type.
        raise AttemptError(Reason.NO_REPLICA, "HAProxy reached no replica")
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and _is_engine_dead(body, request):
        raise AttemptError(Reason.ENGINE_DEAD, text)
    content = normalise(status, body, request.shape, request.request_id, external=request.endpoint.origin.external)
    headers = [_JSON, (b"content-length", str(len(content)).encode())]
    headers += [(name, value) for name, value in connection.headers if name == b"retry-after"]
    return Answer(status, headers, content, None)


def _is_engine_dead(body: bytes, request: UpstreamRequest) -> bool:
    return _ENGINE_DEAD in body[:1000] and not request.endpoint.origin.external


async def _read_at_most(connection: Connection, first: bytes, limit: int) -> bytes:
    pieces = bytearray(first)
    while len(pieces) < limit and (piece := await connection.read()):
        pieces += piece
    return bytes(pieces[:limit])


def _value(connection: Connection, name: bytes) -> bytes:
    return next((value for each, value in connection.headers if each == name), b"")
