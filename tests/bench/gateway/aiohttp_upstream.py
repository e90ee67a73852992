"""The gateway with connections to models made by aiohttp, for comparison; all else of it is the product's own.

python -m tests.bench.gateway.aiohttp_upstream ARGUMENTS OF serve_app.gateway
"""

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from http import HTTPStatus
from typing import cast

import aiohttp
from yarl import URL

from serve_app.gateway.__main__ import main
from serve_app.gateway.exchange.endpoints import Endpoint
from serve_app.gateway.exchange.outcome import Reason
from serve_app.gateway.upstream.attempt import Answer, AttemptError, Upstream, UpstreamRequest, _answer_of_error
from serve_app.gateway.upstream.connection import Connection
from serve_app.gateway.upstream.errors import LostError, SilentError
from serve_app.gateway.upstream.headers import to_client
from serve_app.gateway.upstream.pool import IDLE_SECONDS

_LARGE_BODY = 512 * 1024
"""Bytes; aiohttp warns of a larger body that is not a file."""


class AiohttpConnection:
    """A response, with the methods of `Connection` that are used once a response has started."""

    __slots__ = ("_loop", "_response", "_silent", "_timer", "_waiting_since", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting_since: float | None = None
        self._silent = False
        self.status = response.status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """As they came, names in lower case."""
        return [(name.lower(), value) for name, value in self._response.raw_headers]

    async def read(self) -> bytes:
        """The next piece of the body; empty at its end.

        Raises:
            LostError: The connection ended before the response did.
            SilentError: Nothing came for too long.
        """
        self._waiting_since = self._loop.time()
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise SilentError if self._silent else LostError(str(error)) from error
        finally:
            self._waiting_since = None

    @property
    def at_end(self) -> bool:
        """Whether all of the body was read."""
        return self._response.content.at_eof()

    def limit_silence(self, seconds: float) -> None:
        """Has `read` fail where it waits for so long."""
        self._timer = self._loop.call_later(seconds, self._look, seconds)

    def _look(self, seconds: float) -> None:
        silent = self._loop.time() - self._waiting_since if self._waiting_since is not None else 0
        if silent >= seconds:
            self._silent = True
            self._response.content.set_exception(TimeoutError())
        else:
            self._timer = self._loop.call_later(seconds - silent, self._look, seconds)

    def release(self) -> None:
        """Ends the use; aiohttp has taken the connection back if the response came to its end."""
        if self._timer is not None:
            self._timer.cancel()
        self._response.close()

    def close(self) -> None:
        """Ends the connection."""
        self._response.close()


class AiohttpUpstream(Upstream):
    """The connections to all models, by aiohttp."""

    def __init__(self, pooled: aiohttp.ClientSession, fresh: aiohttp.ClientSession) -> None:
        self._pooled, self._fresh = pooled, fresh

    @classmethod
    @asynccontextmanager
    async def connected(cls) -> AsyncIterator["AiohttpUpstream"]:
        """An upstream with both its sessions open: one reuses idle connections, the other makes new ones."""
        async with (
            _session(aiohttp.TCPConnector(limit=0, ttl_dns_cache=10, keepalive_timeout=IDLE_SECONDS)) as pooled,
            _session(aiohttp.TCPConnector(limit=0, use_dns_cache=False, force_close=True)) as fresh,
        ):
            yield cls(pooled, fresh)

    async def attempt(self, request: UpstreamRequest, fresh: bool) -> Answer:
        """Sends a request once and waits for the first byte of the body, as `Upstream.attempt` does.

        Raises:
            AttemptError: The connection failed, or what answered was not the model.
        """
        body = request.body[0] if len(request.body) == 1 else b"".join(request.body)
        connection = answer = None
        try:
            response = await (self._fresh if fresh else self._pooled).request(
                request.method,
                _url(request.endpoint),
                data=io.BytesIO(body) if len(body) > _LARGE_BODY else body,
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers],
                allow_redirects=False,
                timeout=_connect_limit(request.connect_seconds),
            )
            connection = cast("Connection", AiohttpConnection(response))
            first = await connection.read()
            if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                return await _answer_of_error(connection, first, request)
            is_event_stream = response.headers.get("content-type", "").startswith("text/event-stream")
            answer = Answer(response.status, to_client(response.raw_headers), first, connection, is_event_stream)
        except aiohttp.ClientConnectorError as error:
            raise AttemptError(Reason.CONNECT, str(error)) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise AttemptError(Reason.CONNECT_TIMEOUT, f"no connection in {request.connect_seconds:g} s") from error
        except aiohttp.ClientResponseError as error:
            raise AttemptError(Reason.INVALID, f"the answer is not HTTP: {error.message}") from error
        except (aiohttp.ClientError, LostError, OSError) as error:
            raise AttemptError(Reason.RESET, f"the connection ended before the answer: {error!r}") from error
        finally:
            if connection is not None and answer is None:
                connection.close()
        return answer


@lru_cache(maxsize=64)
def _url(endpoint: Endpoint) -> URL:
    return URL(endpoint.url.decode(), encoded=True)


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


if __name__ == "__main__":
    sys.exit(main(connected=AiohttpUpstream.connected))
