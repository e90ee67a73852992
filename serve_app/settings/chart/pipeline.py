"""`pipelines` and `pipelineDefaults`: Serve graphs that are models to clients."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.agent import AgentConversations, AgentLimits, Branch, ToolName, Tools
from serve_app.settings.chart.model import Positive, Price
from serve_app.settings.chart.part import (
    Amount,
    ClusterName,
    Count,
    EnvName,
    ModelId,
    Part,
    Percent,
    PositiveCount,
    Raw,
    Seconds,
    Size,
    WholeSeconds,
    partial,
)

Score = Annotated[float, Field(ge=0, le=1)]
Found = Annotated[int, Field(ge=1, le=50)]
OptionalName = Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.ROUTE))]
VectorStoreName = Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.VECTOR_STORE))]
ImportPath = Annotated[str, StringConstraints(pattern=r"^([A-Za-z_][A-Za-z0-9_.]*[:.][A-Za-z_][A-Za-z0-9_]*)?$")]
ClaimPath = Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.CLAIM))]
ClassOrNone = Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.ACCELERATOR_CLASS))]
Api = Literal["chat_completions", "completions", "responses", "messages"]
DeploymentName = Annotated[str, StringConstraints(pattern=patterns.DEPLOYMENT)]


class PipelineReplicas(Part):
    """How many replicas a part has, and when there are more."""

    min: Count
    max: PositiveCount
    target_ongoing_requests: Positive
    max_ongoing_requests: PositiveCount
    upscale_delay_seconds: Seconds
    downscale_delay_seconds: Seconds


class PipelineResources(Part):
    """What a replica of a part asks Ray for."""

    cpu: Amount
    memory: Size


PartReplicas = partial(PipelineReplicas, "PartReplicas")
PartResources = partial(PipelineResources, "PartResources")


class PipelinePart(Part):
    """A part, where it differs from the pipeline's."""

    replicas: PartReplicas | None = Field(default=None, description="Replicas of the part.")  # type: ignore[valid-type]
    resources: PartResources | None = Field(default=None, description="Resources of the part.")  # type: ignore[valid-type]


class PipelineRollout(Part):
    """How an edit reaches the replicas."""

    max_surge_percent: Percent
    drain_seconds: WholeSeconds


class PipelineDefaults(Part):
    """What a pipeline has where its own entry says nothing."""

    enabled: bool
    kind: Literal["rag", "agent", "custom"]
    cluster: ClusterName
    accelerator: ClassOrNone
    store: VectorStoreName
    embed: OptionalName
    rerank: OptionalName
    generate: OptionalName
    query_prefix: str
    top_k: Found
    keep: Found
    min_score: Score
    context_characters: Annotated[int, Field(ge=100)]
    filters: Raw
    hybrid: bool
    prompt: str
    not_found: Annotated[str, StringConstraints(min_length=1)]
    wait_seconds: Annotated[float, Field(gt=0, le=3600)]
    instructions: str
    tools: Tools
    limits: AgentLimits
    classify: OptionalName
    branches: dict[ToolName, Branch | None]
    conversations: AgentConversations
    import_path: ImportPath
    args: Raw
    source: ClaimPath
    apis: list[Api]
    env: dict[EnvName, str | None]
    replicas: PipelineReplicas
    resources: PipelineResources
    parts: dict[DeploymentName, PipelinePart | None]
    rollout: PipelineRollout
    private: bool
    owned_by: Annotated[str, StringConstraints(min_length=1)]
    max_concurrent_requests: Count | None = None
    price: Price
    spec: Raw


Pipeline = partial(PipelineDefaults, "Pipeline")
Pipelines = dict[ModelId, Pipeline | None]  # type: ignore[valid-type]
