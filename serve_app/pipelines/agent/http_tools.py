"""HTTP requests as tools: the arguments fill the URL's places, and the others are its query or its JSON body."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic_ai import ToolFailed

from serve_app.pipelines.agent.credentials import CredentialError, headers_of
from serve_app.pipelines.agent.toolbox import Tool
from serve_app.pipelines.tracing import Carrier
from serve_app.settings.agent import PLACE, HttpTool

CONNECT_SECONDS = 5
_BYTES_OF_CHARACTER = 4
_WITH_QUERY = ("GET", "DELETE")


class HttpSource:
    """One HTTP tool."""

    def __init__(self, name: str, settings: HttpTool, *, characters: int) -> None:
        """Takes what there is to know.

        Args:
            name: The tool's.
            settings: Where it is.
            characters: How much of an answer is read.
        """
        self.label = name
        self._settings = settings
        self._most = characters * _BYTES_OF_CHARACTER
        self._validator = Draft202012Validator(settings.parameters)

    @asynccontextmanager
    async def opened(self, trace: Carrier) -> AsyncIterator[Sequence[Tool]]:
        """See `Source`."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:

            async def call(arguments: dict[str, Any], trace: Carrier) -> str:
                return await self._called(session, arguments, trace)

            yield [Tool(self.label, self._settings.description, self._settings.parameters, call)]

    async def _called(self, session: aiohttp.ClientSession, arguments: dict[str, Any], trace: Carrier) -> str:
        if (wrong := best_match(self._validator.iter_errors(arguments))) is not None:
            raise ToolFailed(f"The arguments do not fit: {wrong.message}.")
        settings = self._settings
        places = PLACE.findall(settings.url)
        url = PLACE.sub(lambda place: quote(str(arguments[place[1]]), safe=""), settings.url)
        others = {name: value for name, value in arguments.items() if name not in places}
        sent: dict[str, Any] = {"json": others}
        if settings.method in _WITH_QUERY:
            sent = {"params": [(name, text) for name, value in others.items() for text in _texts(value)]}
        try:
            headers = {**trace, **headers_of(settings.headers)}
            async with session.request(settings.method, url, headers=headers, allow_redirects=False, **sent) as answer:
                text = await self._read(answer)
        except CredentialError as error:
            raise ToolFailed(f"{self.label} cannot be called: {error}.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ToolFailed(f"{self.label} cannot be reached.") from error
        if not answer.ok or answer.status >= 300:
            raise ToolFailed(f"{self.label} answered {answer.status}: {text}")
        return text

    async def _read(self, answer: aiohttp.ClientResponse) -> str:
        found = b""
        async for piece in answer.content.iter_any():
            found += piece
            if len(found) > self._most:
                break
        return found[: self._most].decode("utf-8", "replace")


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - what a model writes may be anything
    """A query's values of one name."""
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value if isinstance(value, str) else json.dumps(value)]
