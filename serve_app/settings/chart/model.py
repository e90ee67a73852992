"""`models` and `modelDefaults`: what is served."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import (
    Amount,
    ClusterName,
    Count,
    ModelId,
    ModelName,
    Part,
    Percent,
    PodEnv,
    PositiveCount,
    Seconds,
    WholeSeconds,
    partial,
)
from serve_app.settings.chart.standalone import Standalone

Source = Annotated[str, StringConstraints(pattern=patterns.SOURCE)]
Positive = Annotated[float, Field(gt=0)]


class Engine(Part):
    """vLLM's engine arguments. The schema lists them: see `serve_app.settings.engine`."""


class Weights(Part):
    """What the weights take."""

    billion_parameters: Positive | None = None
    bytes_per_parameter: Positive


class Parallelism(Part):
    """How a replica is spread over accelerators."""

    tensor: PositiveCount
    pipeline: PositiveCount
    data: PositiveCount
    expert: bool


class Replicas(Part):
    """How many replicas there are, and when there are more."""

    min: Count
    initial: Count | None = None
    max: PositiveCount
    policy: Literal["ongoing-requests", "kv-cache", "waiting-requests"]
    target_kv_cache_percent: Annotated[float, Field(gt=0, le=100)]
    target_waiting_requests: Positive
    target_ongoing_requests: Positive
    max_ongoing_requests: PositiveCount
    upscale_delay_seconds: Seconds
    downscale_delay_seconds: Seconds
    downscale_to_zero_delay_seconds: Seconds | None = None
    look_back_seconds: Annotated[float, Field(ge=10)]
    upscaling_factor: Positive
    downscaling_factor: Positive


PartialReplicas = partial(Replicas, "RoleReplicas")
PartialParallelism = partial(Parallelism, "RoleParallelism")


class HealthCheck(Part):
    """Whether a replica is well."""

    period_seconds: Positive
    timeout_seconds: Positive


class Routing(Part):
    """Which replica gets a request."""

    policy: Literal["least-requests", "round-robin", "session", "prefix-affinity"]
    imbalanced_threshold: Amount
    match_rate_threshold: Annotated[float, Field(ge=0, le=1)]


class Adapter(Part):
    """A LoRA adapter."""

    source: Source = Field(description="Where it is, as in a model's `source`.")


class Role(Part):
    """Replicas that do a part of a request's work, where they differ from the model's."""

    replicas: PartialReplicas | None = Field(default=None, description="Replicas of the role.")  # type: ignore[valid-type]
    parallelism: PartialParallelism | None = Field(default=None, description="Parallelism of the role.")  # type: ignore[valid-type]
    engine: Engine | None = Field(default=None, description="Engine arguments of the role.")


class Roles(Part):
    """The parts of a request's work."""

    prefill: Role | None = None
    decode: Role | None = None


class Rollout(Part):
    """How an edit reaches the replicas."""

    max_surge_percent: Percent
    drain_seconds: WholeSeconds


class Price(Part):
    """What a million tokens cost; null where it is not known."""

    prompt_per_million: Amount | None = None
    cached_per_million: Amount | None = None
    completion_per_million: Amount | None = None


class ModelDefaults(Part):
    """What a model has where its own entry says nothing."""

    enabled: bool
    served_names: list[ModelName]
    source: Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.SOURCE))]
    revision: str
    task: Literal["generate", "embed", "score", "transcribe"]
    cluster: ClusterName
    accelerator: Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.ACCELERATOR_CLASS))]
    runtime: Literal["ray", "standalone"]
    weights: Weights
    parallelism: Parallelism
    accelerator_share: Annotated[float, Field(gt=0, le=1)]
    roles: Roles
    replicas: Replicas
    health_check: HealthCheck
    routing: Routing
    adapters: dict[ModelName, Adapter | None]
    engine: Engine
    env: PodEnv
    rollout: Rollout
    standalone: Standalone
    private: bool
    owned_by: Annotated[str, StringConstraints(min_length=1)]
    max_concurrent_requests: Count | None = None
    price: Price


Model = partial(ModelDefaults, "Model")
Models = dict[ModelId, Model | None]  # type: ignore[valid-type]
