"""What the chart says to one agent's application: the `args` of its entry in serveConfigV2."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from serve_app.settings import patterns
from serve_app.settings.model import Settings, VersionPair
from serve_app.settings.pipeline import PipelineSettings, Service, Tracing

PLACE = re.compile(r"\{([A-Za-z0-9_]+)\}")
"""A place in a tool's URL that an argument fills."""
_URL = r"^https?://[^\s/?#@{}]+(/[^\s?#@]*)?$"
Url = Annotated[str, StringConstraints(pattern=_URL)]
HeaderName = Annotated[str, StringConstraints(pattern=patterns.HEADER)]
ToolName = Annotated[str, StringConstraints(pattern=patterns.TOOL)]


class Credential(Settings):
    """A header's value out of a mounted Secret, read for each request."""

    file: str = Field(min_length=1)
    prefix: str = ""


Headers = dict[HeaderName, str | Credential]


class McpServer(Settings):
    """A server of the Model Context Protocol, over streamable HTTP."""

    url: str = Field(pattern=patterns.URL, min_length=1)
    headers: Headers = Field(default_factory=dict)
    tools: list[str] = Field(default_factory=list)
    """Those that the model may call; empty: all."""
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,32}$")] = ""
    """What its tools' names begin with."""


class HttpTool(Settings):
    """A request that the model may have made."""

    url: Url
    """Its path may have places, such as `{id}`, that arguments fill."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    description: str = Field(min_length=1)
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    headers: Headers = Field(default_factory=dict)

    @model_validator(mode="after")
    def _places_are_required(self) -> Self:
        if self.parameters.get("type") != "object":
            raise ValueError("parameters is no JSON schema of an object, write it as {type: object, properties: ...}")
        for place in PLACE.findall(self.url):
            if place not in (self.parameters.get("required") or ()):
                raise ValueError(f"url has a place for {place}, which parameters.required does not name, add it there")
        return self


class Search(Settings):
    """A RAG pipeline of the same cluster that is asked for documents."""

    description: str = Field(min_length=1)
    keep: int = Field(default=5, ge=1, le=50)


class Tools(Settings):
    """What the model may call."""

    pipelines: dict[str, Search] = Field(default_factory=dict)
    mcp: dict[str, McpServer] = Field(default_factory=dict)
    http: dict[ToolName, HttpTool] = Field(default_factory=dict)


class Limits(Settings):
    """Where an answer ends, whatever the model wants."""

    steps: int = Field(default=8, ge=1, le=100)
    """Times that the model is asked."""
    tokens: int = Field(default=100_000, ge=1)
    """Tokens of all steps together, prompts included."""
    seconds: float = Field(default=300, gt=0, le=3600)
    tool_seconds: float = Field(default=30, gt=0, le=3600)
    result_characters: int = Field(default=16_000, ge=100)
    """Characters of a tool's result that the model reads."""


class Branch(Settings):
    """What is otherwise for requests of a kind."""

    when: str = Field(min_length=1)
    """What they are about, in words."""
    model: Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.ROUTE))] = ""
    instructions: str | None = None
    tools: list[str] | None = None
    """Names of the tools, servers and pipelines that are left; None: all."""


class Conversations(Settings):
    """How much of conversations is kept for `previous_response_id`."""

    max: int = Field(default=1000, ge=0)
    """0: nothing is kept."""
    bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    seconds: float = Field(default=3600, gt=0)


class AgentSettings(PipelineSettings):
    """A pipeline whose model calls tools until it has an answer."""

    kind: Literal["agent"]
    gateway: Service
    generate: str = Field(pattern=patterns.ROUTE)
    instructions: str = ""
    tools: Tools = Field(default_factory=Tools)
    limits: Limits = Field(default_factory=Limits)
    classify: Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.ROUTE))] = ""
    """The model that chooses a branch."""
    branches: dict[ToolName, Branch] = Field(default_factory=dict)
    conversations: Conversations = Field(default_factory=Conversations)
    tracing: Tracing | None = None
    versions: VersionPair

    @field_validator("branches")
    @classmethod
    def _other_is_taken(cls, branches: dict[str, Branch]) -> dict[str, Branch]:
        if OTHERWISE in branches:
            raise ValueError(f"branches.{OTHERWISE} is what the classifier says of all others, rename it")
        return branches

    @model_validator(mode="after")
    def _branches_and_tools_exist(self) -> Self:
        if self.branches and not self.classify:
            raise ValueError("branches is set, but nothing chooses one, name a model in classify")
        named = {*self.tools.pipelines, *self.tools.mcp, *self.tools.http}
        for name, branch in self.branches.items():
            for tool in branch.tools or ():
                if tool not in named:
                    raise ValueError(f"branches.{name}.tools names {tool!r}, use some of: {', '.join(sorted(named))}")
        return self


OTHERWISE = "other"
"""The branch of requests that fit none."""
