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


class Engine(Part):
    """vLLM's engine arguments. The schema lists them: see `serve_app.settings.engine`."""


class Parallelism(Part):
    """How a replica is spread over accelerators."""

    tensor: PositiveCount


class Replicas(Part):
    """How many replicas there are, and when there are more."""

    min: Count
    max: PositiveCount
    target_ongoing_requests: Annotated[float, Field(gt=0)]
    max_ongoing_requests: PositiveCount
    upscale_delay_seconds: Seconds
    downscale_delay_seconds: Seconds


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
    parallelism: Parallelism
    replicas: Replicas
    engine: Engine
    env: PodEnv
    rollout: Rollout
    private: bool
    owned_by: Annotated[str, StringConstraints(min_length=1)]
    max_concurrent_requests: Count | None = None
    price: Price


Model = partial(ModelDefaults, "Model")
Models = dict[ModelId, Model | None]  # type: ignore[valid-type]
