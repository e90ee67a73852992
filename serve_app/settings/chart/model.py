"""`models`, `modelDefaults` and `routes`: what is served, and by which names."""

from typing import Annotated

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import (
    ClusterName,
    Count,
    Env,
    ModelId,
    Part,
    Percent,
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


class ModelDefaults(Part):
    """What a model has where its own entry says nothing."""

    enabled: bool
    source: Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.SOURCE))]
    revision: str
    cluster: ClusterName
    accelerator: Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.ACCELERATOR_CLASS))]
    parallelism: Parallelism
    replicas: Replicas
    engine: Engine
    env: Env
    rollout: Rollout


Model = partial(ModelDefaults, "Model")
Models = dict[ModelId, Model | None]  # type: ignore[valid-type]


class Backend(Part):
    """A model that answers for a route."""


class Route(Part):
    """A name that clients may use beside the models' own."""

    backends: dict[ModelId, Backend | None] = Field(default_factory=dict)


RouteName = Annotated[str, StringConstraints(pattern=patterns.ROUTE)]
Routes = dict[RouteName, Route | None]
