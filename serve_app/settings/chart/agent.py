"""Of `pipelines`: what kind `agent` has beside the others."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import Count, ModelId, Name, Part, PositiveCount, PositiveSeconds, Raw

Url = Annotated[str, StringConstraints(pattern=patterns.URL)]
PlacedUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@{}]+(/[^\s?#@]*)?$")]
HeaderName = Annotated[str, StringConstraints(pattern=patterns.HEADER)]
ToolName = Annotated[str, StringConstraints(pattern=patterns.TOOL)]
SecretKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")]
Model = Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.ROUTE))]
Found = Annotated[int, Field(ge=1, le=50)]


class ToolHeader(Part):
    """A header's value that is secret."""

    key: SecretKey = Field(description="Key of the value in the cluster's `toolCredentials`.")
    prefix: str | None = Field(default=None, description="What comes before it, such as `Bearer `.")


Headers = dict[HeaderName, ToolHeader | str | None]


class SearchTool(Part):
    """A RAG pipeline that the model searches."""

    description: str | None = Field(default=None, description="What its documents are about, for the model.")
    keep: Found | None = Field(default=None, description="Parts of documents that a search brings; 5 if not set.")


class McpServer(Part):
    """A server of the Model Context Protocol."""

    url: Url | None = Field(default=None, description="Its URL.")
    headers: Headers | None = Field(default=None, description="Headers of each request to it.")
    tools: list[str] | None = Field(default=None, description="Its tools that the model may call; empty: all.")
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,32}$")] | None = Field(
        default=None, description="What its tools' names begin with, where two servers have one of the same name."
    )


class HttpTool(Part):
    """A request that the model may have made."""

    url: PlacedUrl | None = Field(default=None, description="Where it goes, with places in the path such as `{id}`.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = Field(
        default=None, description="Its method; GET if not set."
    )
    description: str | None = Field(default=None, description="What it does, for the model.")
    parameters: Raw | None = Field(default=None, description="JSON schema of its arguments, an object.")
    headers: Headers | None = Field(default=None, description="Headers of the request.")


class Tools(Part):
    """What the model may call."""

    pipelines: dict[ModelId, SearchTool | None]
    mcp: dict[Name, McpServer | None]
    http: dict[ToolName, HttpTool | None]


class Branch(Part):
    """What is otherwise for some requests."""

    when: str | None = Field(default=None, description="What these requests are about, for the model that chooses.")
    model: Model | None = Field(default=None, description="Model or route that answers; empty: `generate`.")
    instructions: str | None = Field(default=None, description="What the model is told; the agent's if not set.")
    tools: list[str] | None = Field(
        default=None, description="Servers, HTTP tools and pipelines that are left; all if not set."
    )


class AgentLimits(Part):
    """Where an answer ends."""

    steps: Annotated[int, Field(ge=1, le=100)]
    tokens: PositiveCount
    seconds: Annotated[float, Field(gt=0, le=3600)]
    tool_seconds: Annotated[float, Field(gt=0, le=3600)]
    result_characters: Annotated[int, Field(ge=100)]


class AgentConversations(Part):
    """What is kept."""

    max: Count
    bytes: Count
    seconds: PositiveSeconds
