"""RAG pipelines of the same cluster as tools: their documents, without an answer of their own model."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic_ai import ToolFailed

from serve_app.pipelines.agent.toolbox import Tool
from serve_app.pipelines.errors import ApiError
from serve_app.pipelines.rag.prompt import numbered
from serve_app.pipelines.rag.source import Query, Retrieved
from serve_app.pipelines.tracing import Carrier
from serve_app.settings.agent import Search

Find = Callable[[str, Query], Awaitable[Retrieved]]
"""Asks a pipeline's retriever, by the pipeline's name; ApiError where it is away."""
NOTHING = "Nothing was found."
PARAMETERS = {
    "type": "object",
    "properties": {"query": {"type": "string", "description": "What to look for."}},
    "required": ["query"],
    "additionalProperties": False,
}


class RetrievalSource:
    """One pipeline."""

    def __init__(self, pipeline: str, settings: Search, find: Find, count: Callable[[int], None]) -> None:
        """Takes what there is to know.

        Args:
            pipeline: Its name.
            settings: How it is asked.
            find: Asks it.
            count: Is told the tokens that a search took.
        """
        self.label = pipeline
        self._settings = settings
        self._find = find
        self._count = count

    @asynccontextmanager
    async def opened(self, trace: Carrier) -> AsyncIterator[Sequence[Tool]]:
        """See `Source`."""
        name = f"search_{self.label.replace('.', '_')}"[:64]
        yield [Tool(name, self._settings.description, PARAMETERS, self._called)]

    async def _called(self, arguments: dict[str, Any], trace: Carrier) -> str:
        query = arguments.get("query")
        if not isinstance(query, str) or not query.strip():
            raise ToolFailed("query is no text, say what to look for.")
        try:
            found = await self._find(self.label, Query(query, keep=self._settings.keep, trace=dict(trace)))
        except ApiError as error:
            raise ToolFailed(error.message) from error
        self._count(found.tokens)
        return numbered(found.sources) or NOTHING
