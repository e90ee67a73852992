"""`clusters`, `accelerators` and `redis`: the Ray clusters and what their workers run on."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings.chart.part import (
    ClassName,
    ClusterName,
    Count,
    Env,
    Image,
    Names,
    Part,
    PositiveCount,
    PositiveSeconds,
    Raw,
    Resources,
    Size,
    Texts,
    Toleration,
    WholeSeconds,
    partial,
)


class Head(Part):
    """The head pod."""

    resources: Resources
    ray_start_params: Texts
    spec: Raw


class Autoscaler(Part):
    """Ray's autoscaler, a container of the head pod."""

    idle_timeout_seconds: PositiveSeconds
    resources: Resources


class FaultTolerance(Part):
    """Where the cluster's state outlives the head pod."""

    enabled: bool
    address: Annotated[str, StringConstraints(pattern=r"^(rediss?://[^\s/@]+:[0-9]+)?$")]
    existing_secret: Names
    password_key: str


class ClusterDefaults(Part):
    """Defaults for every Ray cluster."""

    image: Image
    head: Head
    autoscaler: Autoscaler
    fault_tolerance: FaultTolerance
    drain_seconds: WholeSeconds
    env: Env
    spec: Raw


class Instance(Part):
    """The instance types of a class's nodes."""

    gpu_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*$")]
    min_gpu_count: Count
    min_gpu_memory_mib: Count


class AcceleratorDefaults(Part):
    """What an accelerator class, that is a worker group and its nodes, has where its own entry says nothing."""

    order: Annotated[int, Field(ge=0, le=9999)]
    kind: Literal["cpu", "gpu"]
    resource: Annotated[str, StringConstraints(pattern=r"^([a-z0-9.-]+/[A-Za-z0-9._-]+)?$")]
    count: Count
    max_workers: PositiveCount
    resources: Resources
    ray_start_params: Texts
    node_selector: Texts
    tolerations: list[Toleration]
    instance: Instance
    spec: Raw


Cluster = partial(ClusterDefaults, "Cluster")
Clusters = dict[ClusterName, Cluster | None]  # type: ignore[valid-type]
Accelerator = partial(AcceleratorDefaults, "Accelerator")
Accelerators = dict[ClassName, Accelerator | None]  # type: ignore[valid-type]


class RedisPersistence(Part):
    """The embedded Redis's volume."""

    size: Annotated[Size, StringConstraints(min_length=1)]
    storage_class_name: Names


class Redis(Part):
    """The embedded Redis."""

    image: Image
    existing_secret: Names
    command: list[str]
    resources: Resources
    persistence: RedisPersistence
