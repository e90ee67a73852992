"""One attempt to get an answer from a model: over which connection, what counts as an answer, and why it failed."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

import aiohttp
from yarl import URL

from serve_app.gateway.apis.errors import Header, Shape, normalise
from serve_app.gateway.observe.metrics import Reason
from serve_app.gateway.upstream.headers import passed_back

_MAX_ERROR_BODY = 64 * 1024
_LARGE_BODY = 512 * 1024
_JSON = (b"content-type", b"application/json")


class AttemptError(Exception):
    """No answer, and nothing of one was passed on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class BrokenStreamError(Exception):
    """An answer that ended before its end."""


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """What is sent to a model, as often as it takes."""

    method: str
    url: URL
    headers: list[tuple[str, str]]
    body: bytes
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
    rest: aiohttp.ClientResponse | None
    is_event_stream: bool = False

    @property
    def more(self) -> bool:
        """Whether there is more of the body than was read."""
        return self.rest is not None and not self.rest.content.at_eof()

    def header(self, name: bytes) -> bytes | None:
        """The value of a header, by its lower-case name."""
        return next((value for each, value in self.headers if each == name), None)

    async def read(self) -> bytes:
        """The next piece of the body, as it arrives; empty at the end.

        Raises:
            BrokenStreamError: The connection ended before the body did.
        """
        if self.rest is None:
            return b""
        try:
            return await self.rest.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenStreamError(str(error)) from error

    def close(self) -> None:
        """Ends the connection, unless the answer was read to its end: the model stops working on it."""
        if self.rest is not None:
            self.rest.close()


class Upstream:
    """The connections to all models."""

    def __init__(self, pooled: aiohttp.ClientSession, fresh: aiohttp.ClientSession) -> None:
        """Takes the two ways to a model.

        Args:
            pooled: Reuses idle connections.
            fresh: Makes a new connection, and a new look-up of the name, for each request.
        """
        self._pooled = pooled
        self._fresh = fresh

    @classmethod
    @asynccontextmanager
    async def connected(cls) -> AsyncIterator["Upstream"]:
        """An upstream with both sessions open."""
        async with (
            _session(aiohttp.TCPConnector(limit=0, ttl_dns_cache=10, keepalive_timeout=30)) as pooled,
            _session(aiohttp.TCPConnector(limit=0, use_dns_cache=False, force_close=True)) as fresh,
        ):
            yield cls(pooled, fresh)

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
        session = self._fresh if fresh else self._pooled
        response = answer = None
        try:
            response = await session.request(
                request.method,
                request.url,
                data=io.BytesIO(request.body) if len(request.body) > _LARGE_BODY else request.body,
                headers=request.headers,
                allow_redirects=False,
                timeout=_connect_limit(request.connect_seconds),
            )
            if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                return await _answer_of_error(response, request)
            first = await response.content.readany()
            content_type = response.headers.get("content-type", "")
            is_event_stream = content_type.startswith("text/event-stream")
            answer = Answer(response.status, passed_back(response.raw_headers), first, response, is_event_stream)
        except aiohttp.ClientConnectorError as error:
            raise AttemptError(Reason.CONNECT, str(error)) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise AttemptError(Reason.CONNECT_TIMEOUT, f"no connection in {request.connect_seconds:g} s") from error
        except aiohttp.ClientResponseError as error:
            raise AttemptError(Reason.INVALID, f"the answer is not HTTP: {error.message}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise AttemptError(Reason.RESET, f"the connection ended before the answer: {error!r}") from error
        finally:
            if response is not None and answer is None:
                response.close()
        return answer


async def _answer_of_error(response: aiohttp.ClientResponse, request: UpstreamRequest) -> Answer:
    """Reads an answer that is no success; tells the model's own refusals from "not there (yet)".

    Raises:
        AttemptError: It was not the model that answered.
    """
    status = response.status
    body = await _read_at_most(response, _MAX_ERROR_BODY)
    text = body[:1000].decode("utf-8", "replace")
    if status < HTTPStatus.BAD_REQUEST:
        raise AttemptError(Reason.INVALID, f"redirected to {response.headers.get('location')!r}")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        raise AttemptError(Reason.UNAVAILABLE, text)
    if status == HTTPStatus.NOT_FOUND and text.startswith("Path '") and "/-/routes" in text:
        # Ray Serve's proxy, HAProxy or replica, while an application starts or a cluster is swapped.
        raise AttemptError(Reason.NO_ROUTE, text)
    if (
        status == HTTPStatus.INTERNAL_SERVER_ERROR
        and body == b"Internal Server Error"
        and response.headers.get("content-type") == "text/plain"
    ):
        # Ray Serve lets HAProxy say this in place of its own 502, 503 and 504: no replica could be reached, or the
        # one that was ended without an answer. Python servers say the same words with a charset in the content type.
        raise AttemptError(Reason.NO_REPLICA, "HAProxy reached no replica")
    content = normalise(status, body, request.shape, request.request_id)
    headers = [_JSON, (b"content-length", str(len(content)).encode())]
    headers += [(b"retry-after", value) for name, value in response.raw_headers if name.lower() == b"retry-after"]
    return Answer(status, headers, content, None)


async def _read_at_most(response: aiohttp.ClientResponse, limit: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < limit and (piece := await response.content.readany()):
        pieces += piece
    return bytes(pieces[:limit])


@lru_cache(maxsize=64)
def _connect_limit(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=seconds)


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    """A session that adds, follows and decodes nothing."""
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
        timeout=aiohttp.ClientTimeout(total=None),
    )
