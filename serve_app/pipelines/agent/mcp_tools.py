"""Tools of a server of the Model Context Protocol."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult
from pydantic_ai import ToolFailed

from serve_app.pipelines.agent.credentials import CredentialError, headers_of
from serve_app.pipelines.agent.toolbox import MOST_TOOLS, Tool
from serve_app.pipelines.errors import away
from serve_app.pipelines.tracing import Carrier
from serve_app.settings.agent import McpServer

logger = logging.getLogger("ray.serve")
CONNECT_SECONDS = 5
LEAVE_SECONDS = 5
CODE = "tools_unavailable"


class McpSource:
    """One server. Each answer has a session of its own, in which a server may keep what it likes."""

    def __init__(self, label: str, settings: McpServer, *, seconds: float) -> None:
        """Takes what there is to know.

        Args:
            label: The server's name in the values.
            settings: Where it is.
            seconds: How long it may take to answer.
        """
        self.label = label
        self._settings = settings
        self._seconds = seconds

    @asynccontextmanager
    async def opened(self, trace: Carrier) -> AsyncIterator[Sequence[Tool]]:
        """See `Source`."""
        ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        leaving = asyncio.Event()
        # In a task of its own: what the client's task group raises would else wrap whatever ends the answer.
        session = asyncio.create_task(self._session(ready, leaving, trace))
        try:
            yield await self._listed(ready, session)
        finally:
            leaving.set()
            with suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(session, LEAVE_SECONDS)

    async def _session(self, ready: asyncio.Future[Client], leaving: asyncio.Event, trace: Carrier) -> None:
        timeout = httpx2.Timeout(CONNECT_SECONDS, read=self._seconds)
        headers = {**trace, **headers_of(self._settings.headers)}
        async with httpx2.AsyncClient(headers=headers, timeout=timeout) as http:
            transport = streamable_http_client(self._settings.url, http_client=http)
            async with Client(transport, read_timeout_seconds=self._seconds, cache=None) as client:
                ready.set_result(client)
                await leaving.wait()

    async def _listed(self, ready: asyncio.Future[Client], session: asyncio.Task[None]) -> list[Tool]:
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.wait((ready, session), return_when=asyncio.FIRST_COMPLETED)
                if not ready.done():
                    await session  # raises why
                return await self._tools(ready.result())
        except CredentialError as error:
            raise away(f"The tools of {self.label} cannot be used: {error}.", CODE) from error
        except Exception as error:
            logger.warning("MCP server %s: %r", self.label, error)
            raise away(f"The tools of {self.label} cannot be reached, try again in a few seconds.", CODE) from error

    async def _tools(self, client: Client) -> list[Tool]:
        found: list[Tool] = []
        cursor: str | None = None
        while len(found) <= MOST_TOOLS:
            page = await client.list_tools(cursor=cursor)
            wanted = (tool for tool in page.tools if not self._settings.tools or tool.name in self._settings.tools)
            found.extend(self._tool(client, tool.name, tool.description or "", tool.input_schema) for tool in wanted)
            cursor = page.next_cursor
            if not cursor:
                break
        return found

    def _tool(self, client: Client, name: str, description: str, parameters: dict[str, Any]) -> Tool:
        async def call(arguments: dict[str, Any], trace: Carrier) -> str:
            try:
                result = await client.call_tool(name, arguments, meta=dict(trace) or None)  # type: ignore[arg-type]
            except MCPError as error:
                raise ToolFailed(f"{self.label}: {error.message}") from error
            except Exception as error:
                logger.warning("MCP server %s, tool %s: %r", self.label, name, error)
                raise ToolFailed(f"{self.label} cannot be reached.") from error
            if result.is_error:
                raise ToolFailed(_text(result))
            return _text(result)

        return Tool(self._settings.prefix + name, description, parameters, call)


def _text(result: CallToolResult) -> str:
    """A result as the model reads it; what is no text is named."""
    if not result.content and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    texts = (each.text if each.type == "text" else f"({each.type})" for each in result.content)
    return "\n".join(texts)
