"""HTTP to the services of the stack that a pipeline calls: the gateway, and the store of documents."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from serve_app.pipelines.errors import ApiError, away
from serve_app.settings.pipeline import Service

CONNECT_SECONDS = 5
IDLE_SECONDS = 600
LONGEST_ERROR = 64 * 1024
"""Bytes of an answer's error that are read."""


class ServiceClient:
    """Sends JSON to one service."""

    def __init__(self, service: Service, what: str, *, code: str, caller: str = "") -> None:
        """Begins; the first request opens a connection.

        Args:
            service: Where it is.
            what: Its name in sentences, such as `The store of documents`.
            code: The error's code where it is away.
            caller: The API key's name that the gateway is to count its work by; empty for none.
        """
        self._service = service
        self._what = what
        self._code = code
        self._own = {"x-gateway-key": caller} if caller else {}
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def post(
        self, path: str, body: dict[str, Any], headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer of status 200; leaving the block early closes the connection, which cancels the work behind it.

        Args:
            path: The request's path.
            body: Its JSON.
            headers: Its headers, such as the context of its span.

        Raises:
            ApiError: The service's own error, or 503 where it cannot be reached.
        """
        try:
            async with self._opened().post(
                self._service.url.rstrip("/") + path,
                json=body,
                headers={**self._authorization(), **self._own, **headers},
            ) as answer:
                if answer.status != HTTPStatus.OK:
                    raise await self._refusal(answer)
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise away(f"{self._what} cannot be reached, try again in a few seconds.", self._code) from error

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=IDLE_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        return self._session

    def _authorization(self) -> dict[str, str]:
        """Read for each request: a Secret's new token arrives in its file while this runs."""
        try:
            token = token_of(self._service)
        except OSError as error:
            raise away(f"{self._what} wants a token that is not there yet, try again.", self._code) from error
        return {"authorization": f"Bearer {token}"} if token else {}

    async def _refusal(self, answer: aiohttp.ClientResponse) -> ApiError:
        """An error of the service as the pipeline's client is told of it."""
        said, retry_after = await _error(answer), answer.headers.get("retry-after", "")
        return refusal(self._what, answer.status, said, code=self._code, retry_after=retry_after)


def token_of(service: Service) -> str:
    """The token that a service wants, as its file has it now; empty for none.

    Raises:
        OSError: The file cannot be read.
    """
    return Path(service.token_file).read_text(encoding="utf-8").strip() if service.token_file else ""


def refusal(what: str, status: int, said: dict[str, Any], *, code: str, retry_after: str) -> ApiError:
    """A service's error as the pipeline's client is told of it.

    Args:
        what: The service, as the client is told of it.
        status: Of its answer.
        said: The error object of its answer; empty where it has none.
        code: Where the pipeline's settings are at fault, and neither the client's key nor what it asked for.
        retry_after: The header of its answer; empty where it has none.
    """
    message = str(said.get("message") or f"{what} answered {status}.")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return ApiError(HTTPStatus.BAD_GATEWAY, f"{what} refused the pipeline: {message}", code=code)
    own, param = said.get("code"), said.get("param")
    return ApiError(
        status,
        message,
        code=own if isinstance(own, str) else None,
        param=param if isinstance(param, str) else None,
        retry_after=retry_after,
    )


async def _error(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """The error object of an answer; empty where it has none."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            said = json.loads(await answer.content.read(LONGEST_ERROR))
    except (ValueError, TimeoutError):
        return {}
    error = said.get("error") if isinstance(said, dict) else None
    return error if isinstance(error, dict) else {}
