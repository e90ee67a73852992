"""`capacity`, `priorityClasses`, `resourceQuota`, `limitRange`: nodes, who gets them first, and how much there is."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import (
    ClassName,
    Count,
    Names,
    Part,
    PositiveCount,
    Quantity,
    Raw,
    Size,
    partial,
)
from serve_app.settings.chart.pod import Pod

Zone = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
TaintKey = Annotated[str, StringConstraints(pattern=patterns.TAINT)]
TaintEffect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
BudgetName = Annotated[str, StringConstraints(pattern=patterns.BUDGET)]
Priority = Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]


class NodeClass(Part):
    """Karpenter's node class: image, role, network and disks of the nodes."""

    create: bool
    name: Names
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$")]
    group: Names
    role: str
    ami_alias: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+@[A-Za-z0-9.-]+$")]
    discovery: str
    volume_size: Annotated[Size, StringConstraints(min_length=1)]
    volume_throughput: Annotated[int, Field(ge=125, le=2000)] | None = None
    volume_snapshot: Annotated[str, StringConstraints(pattern=r"^(snap-[0-9a-z]+)?$")]
    instance_store_policy: Literal["", "RAID0"]
    capacity_reservations: list[Annotated[str, StringConstraints(pattern=r"^cr-[0-9a-z]+$")]]
    placement_group: str
    spec: Raw


class Budget(Part):
    """How many nodes of a pool Karpenter may take at once."""

    nodes: Annotated[str, StringConstraints(pattern=r"^((100|[0-9]{1,2})%|[0-9]+)$")] = Field(
        description='Nodes at once, such as `"1"` or `10%`; `"0"`: none.'
    )
    reasons: list[Literal["Empty", "Drifted", "Underutilized"]] | None = Field(
        default=None, description="For which reasons; empty: for all."
    )
    schedule: str | None = Field(default=None, description="When it begins to hold, as cron says it, in UTC.")
    duration: Annotated[str, StringConstraints(pattern=r"^((([0-9]+(h|m))|([0-9]+h[0-9]+m))(0s)?)$")] | None = Field(
        default=None, description="How long it holds then."
    )


class Warm(Part):
    """Placeholders that keep nodes warm."""

    pods: Count
    devices: PositiveCount


class NodePoolDefaults(Part):
    """What a node pool has where its own entry says nothing."""

    spot: Literal["never", "prefer", "only"]
    reserved: bool
    zones: list[Zone]
    max_devices: Count | None = None
    max_cpus: PositiveCount | None = None
    consolidate_after: Annotated[str, StringConstraints(pattern=r"^(Never|([0-9]+(s|m|h))+)$")]
    budgets: dict[BudgetName, Budget | None]
    startup_taints: dict[TaintKey, TaintEffect | None]
    weight: Annotated[int, Field(ge=1, le=99)]
    warm: Warm
    node_class: partial(NodeClass, "PoolNodeClass")  # type: ignore[valid-type]
    spec: Raw


NodePool = partial(NodePoolDefaults, "NodePool")


class PrePull(Part):
    """The DaemonSet that pulls serve images ahead."""

    enabled: bool
    pod: Pod  # type: ignore[valid-type]


class Capacity(Part):
    """Nodes: Karpenter's pools, one or two per accelerator class in use, and what keeps them warm."""

    enabled: bool
    daemon_sets: dict[str, Quantity | None]
    system_on_demand: bool
    node_class: NodeClass
    node_pool_defaults: NodePoolDefaults
    node_pools: dict[ClassName, NodePool | None]  # type: ignore[valid-type]
    pre_pull: PrePull


class PriorityClasses(Part):
    """Which pods go first."""

    enabled: bool
    system: Priority
    workers: Priority


class ResourceQuota(Part):
    """What the namespace may have."""

    hard: dict[str, Quantity | None]


class LimitRange(Part):
    """What a container of the namespace has where it says nothing, and its bounds."""

    default: dict[str, Quantity | None]
    default_request: dict[str, Quantity | None]
    min: dict[str, Quantity | None]
    max: dict[str, Quantity | None]
