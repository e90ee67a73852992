"""The tools of one answer: opened for it, offered to the model, called within their limits, and closed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, Self

from pydantic_ai import RunContext, ToolDefinition, ToolFailed
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
from pydantic_core import SchemaValidator, core_schema

from serve_app.pipelines.errors import ApiError
from serve_app.pipelines.measures import Measures
from serve_app.pipelines.tracing import Carrier, Tracing
from serve_app.settings.agent import Limits

_ARGUMENTS = SchemaValidator(core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema()))
"""What is in the object is for the tool to say."""
MOST_TOOLS = 128
"""As OpenAI has it for a request."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that is open."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON schema of an object."""
    call: Callable[[dict[str, Any], Carrier], Awaitable[str]]
    """Raises ToolFailed with what the model is told."""


class Source(Protocol):
    """Where tools come from."""

    label: str
    """Its name in the values."""

    def opened(self, trace: Carrier) -> AbstractAsyncContextManager[Sequence[Tool]]:
        """Its tools, for as long as the block lasts; ApiError where they cannot be had."""
        ...


class Toolbox(AbstractToolset[None]):
    """The tools of several sources as pydantic-ai takes them."""

    def __init__(
        self, sources: Sequence[Source], limits: Limits, *, trace: Carrier, tracing: Tracing, measures: Measures
    ) -> None:
        """Opens nothing yet.

        Args:
            sources: Where the tools come from.
            limits: The pipeline's.
            trace: The context of the answer's span.
            tracing: Makes spans.
            measures: Notes times and failures.
        """
        self._sources = sources
        self._limits = limits
        self._trace = trace
        self._tracing = tracing
        self._measures = measures
        self._tools: dict[str, tuple[str, Tool]] = {}
        self._stack = AsyncExitStack()

    @property
    def id(self) -> str | None:
        """None: it lives for one answer."""
        return None

    async def __aenter__(self) -> Self:
        """Opens the sources.

        Raises:
            ApiError: One is away, or two have a tool of the same name.
        """
        async with AsyncExitStack() as stack:
            for source in self._sources:
                for tool in await stack.enter_async_context(source.opened(self._trace)):
                    self._add(source.label, tool)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes them."""
        await self._stack.aclose()

    def source_of(self, name: str) -> str:
        """The label of the source that a tool is of; empty for none."""
        return self._tools[name][0] if name in self._tools else ""

    async def get_tools(self, ctx: RunContext[None]) -> dict[str, ToolsetTool[None]]:
        """What the model is offered."""
        return {name: self._offered(tool) for name, (_, tool) in self._tools.items()}

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[None], tool: ToolsetTool[None]
    ) -> str:
        """A tool's result, cut to what the model may read.

        Raises:
            ToolFailed: It failed or took too long; the model is told, and goes on.
        """
        label, called = self._tools[name]
        seconds = self._limits.tool_seconds
        began = time.perf_counter()
        try:
            with self._tracing.span("tool", self._trace) as span:
                span.set("pipeline.tool", label)
                async with asyncio.timeout(seconds):
                    result = await called.call(tool_args, span.carrier)
        except TimeoutError:
            self._measures.tool_failed(label)
            raise ToolFailed(f"{name} has not answered within {seconds:g} s.") from None
        except ToolFailed as failure:
            self._measures.tool_failed(label)
            raise ToolFailed(self._cut(failure.message)) from None
        finally:
            self._measures.part("tool", time.perf_counter() - began)
        return self._cut(result)

    def _cut(self, text: str) -> str:
        most = self._limits.result_characters
        return text if len(text) <= most else f"{text[:most]}\n(cut after {most} of {len(text)} characters)"

    def _add(self, label: str, tool: Tool) -> None:
        if tool.name in self._tools:
            message = f"{label} and {self._tools[tool.name][0]} both have a tool {tool.name!r}, set a prefix for one."
            raise ApiError(HTTPStatus.BAD_GATEWAY, message, code="tools_invalid")
        if len(self._tools) == MOST_TOOLS:
            message = f"There are more than {MOST_TOOLS} tools, name those of {label} that are wanted in its tools."
            raise ApiError(HTTPStatus.BAD_GATEWAY, message, code="tools_invalid")
        self._tools[tool.name] = label, tool

    def _offered(self, tool: Tool) -> ToolsetTool[None]:
        return ToolsetTool(
            toolset=self,
            tool_def=ToolDefinition(
                name=tool.name, description=tool.description, parameters_json_schema=tool.parameters, strict=False
            ),
            max_retries=self._limits.steps,
            args_validator=_ARGUMENTS,
        )
