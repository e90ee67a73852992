"""Passes requests on to the data component, bodies as they arrive: files are larger than the memory for bodies."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import aiohttp
from starlette.types import Receive, Scope
from yarl import URL

from serve_app.gateway.access.limits import Limiter
from serve_app.gateway.api import table
from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.api.table import Api
from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.writer import ResponseWriter
from serve_app.gateway.http.disconnect import DisconnectError, cancelled_on_disconnect
from serve_app.gateway.http.protocol import CONNECTION
from serve_app.settings.gateway import Data, GatewayConfig

logger = logging.getLogger(__name__)

_PIECE = 65536
_FORM_BYTES = 65536
"""Of what is in a form beside the file."""
_ANSWERED = frozenset(
    ("content-type", "content-length", "content-disposition", "retry-after", "x-content-type-options")
)


class DataTokens(NamedTuple):
    """What the gateway and the data component know each other by."""

    component: str
    """Each asks the other for it, on behalf of callers."""
    pipelines: str
    """The gateway asks pipelines for it, which come for themselves."""


def read_tokens(folder: Path) -> DataTokens:
    """Reads a mounted Secret.

    Raises:
        OSError: A token cannot be read.
    """
    component, pipelines = ((folder / name).read_text().strip() for name in ("component-token", "gateway-token"))
    if not component or not pipelines:
        raise OSError(f"{folder}: a token is empty, make the Secret with long random texts")
    return DataTokens(component, pipelines)


class Documents:
    """Answers what the data component has."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        config: Callable[[], GatewayConfig],
        tokens: DataTokens,
        limiter: Limiter,
    ) -> None:
        self._session = session
        self._config = config
        self._tokens = tokens
        self._limiter = limiter

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, config: Callable[[], GatewayConfig], tokens: DataTokens | None, limiter: Limiter
    ) -> AsyncIterator["Documents | None"]:
        """The way to the component; None without its tokens.

        Args:
            config: Gets the configuration in force, which says where it is.
            tokens: Its tokens.
            limiter: Enforces callers' limits of requests.
        """
        if tokens is None:
            yield None
            return
        connector = aiohttp.TCPConnector(limit=256, keepalive_timeout=4)  # its server's is 5
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False, trust_env=False) as session:
            yield cls(session, config, tokens, limiter)

    def find(self, path: str) -> Api | None:
        """The API of a path that the component answers; None where there is no component, or for another path."""
        return table.of_data(path) if self._config().data is not None else None

    async def __call__(
        self, scope: Scope, headers: Headers, receive: Receive, record: RequestRecord, response: ResponseWriter
    ) -> None:
        """Answers one request.

        Args:
            scope: ASGI's scope of the request.
            headers: Its headers.
            receive: ASGI's receive.
            record: The request; its caller is known.
            response: Its response.

        Raises:
            ApiError: 408 or 413, the body; 429, the caller's limits; 503, the component does not answer.
            DisconnectError: The client left.
            StalledError: The client does not read.
        """
        config = self._config()
        data = config.data
        assert data is not None  # noqa: S101  # `find` has seen it
        grant = await self._limiter.enter(record.caller)
        grant.settle(0, 0)  # not in flight: what the component asks on the caller's behalf counts by itself
        response.add_headers(grant.headers)
        upload = record.api is table.FILES
        most = data.max_file_bytes + _FORM_BYTES if upload else config.limits.max_body_bytes
        body = _Body(receive, headers, most, config.limits.body_seconds)
        try:
            await self._pass(scope, headers, body, data, record, response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if body.failure is not None:
                raise body.failure from error
            logger.warning(
                "request %s: the data component: %s", record.request_id.decode(), error or type(error).__name__
            )
            if response.started:
                return  # cut, as what it has is not whole
            message = "Files and vector stores cannot be reached at the moment: try again soon."
            retry = [(b"retry-after", b"5")]
            raise ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, code="data_unavailable", headers=retry) from error

    async def _pass(
        self, scope: Scope, headers: Headers, body: "_Body", data: Data, record: RequestRecord, response: ResponseWriter
    ) -> None:
        timeouts = self._config().timeouts
        connection = scope["extensions"][CONNECTION]
        request = self._session.request(
            record.method,
            URL(data.url).with_path(record.path).with_query(scope["query_string"].decode("latin-1")),
            headers=self._headers(headers, record),
            data=body.pieces() if body.expected else None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=None, connect=timeouts.connect_seconds, sock_read=timeouts.first_byte_seconds
            ),
        )
        async with request as answer:
            names = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
            await response.start(answer.status, [each for each in names if each[0].decode() in _ANSWERED])
            with cancelled_on_disconnect(connection):
                async for piece in answer.content.iter_chunked(_PIECE):
                    await response.write(piece, more=True)
                await response.write(b"", more=False)

    def _headers(self, headers: Headers, record: RequestRecord) -> dict[str, str]:
        kept = {name: headers[name.encode()].decode("latin-1") for name in _SENT if name.encode() in headers}
        return {
            **kept,
            "authorization": f"Bearer {self._tokens.component}",
            "x-request-id": record.request_id.decode(),
            **_identity(record.caller),
        }


_SENT = ("content-type", "content-length", "accept")


def _identity(caller: Caller) -> dict[str, str]:
    names = {"team": caller.team, "key": caller.key, "key-id": caller.key_id, "subject": caller.subject}
    return {f"x-gateway-{name}": value for name, value in names.items() if value}


class _Body:
    """A request's body on its way."""

    def __init__(self, receive: Receive, headers: Headers, most: int, seconds: float) -> None:
        """Takes what bounds it.

        Args:
            receive: ASGI's receive.
            headers: The request's headers.
            most: Bytes at most.
            seconds: Between two pieces at most.

        Raises:
            ApiError: 413, it says that it is larger; 415, it is compressed.
        """
        self._receive = receive
        self._most = most
        self._seconds = seconds
        self.expected = b"transfer-encoding" in headers or int(headers.get(b"content-length", 0)) > 0
        self.failure: Exception | None = None
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            message = "The body is compressed: send it uncompressed, without the header content-encoding."
            raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, code="unsupported_encoding")
        if int(headers.get(b"content-length", 0)) > most:
            raise self._too_large()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces as they arrive. What ends them is kept in `failure`: the client that sends them hides it."""
        left = self._most
        more = True
        try:
            while more:
                async with asyncio.timeout(self._seconds):
                    message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise DisconnectError
                piece, more = message.get("body", b""), message.get("more_body", False)
                left -= len(piece)
                if left < 0:
                    raise self._too_large()
                if piece:
                    yield piece
        except TimeoutError:
            text = f"Nothing of the body arrived for {self._seconds:g} s: send the request again."
            self.failure = ApiError(HTTPStatus.REQUEST_TIMEOUT, text, code="timeout")
            raise
        except (ApiError, DisconnectError) as error:
            self.failure = error
            raise

    def _too_large(self) -> ApiError:
        message = f"The body is larger than {self._most} bytes: send less, or have the limit raised."
        return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, code="request_too_large")
