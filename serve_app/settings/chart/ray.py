"""`clusters`, `accelerators` and `redis`: the Ray clusters and what their workers run on."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import (
    CaBundle,
    ClassName,
    ClusterName,
    Count,
    EgressRule,
    Image,
    IpFamily,
    Names,
    Part,
    Peer,
    PodEnv,
    PositiveCount,
    PositiveSeconds,
    Quantity,
    Raw,
    Resources,
    ServiceAccount,
    Size,
    Texts,
    Toleration,
    WholeSeconds,
    partial,
)
from serve_app.settings.chart.pod import Pod


class Head(Part):
    """The head pod."""

    resources: Resources
    ray_start_params: Texts
    pod: Pod  # type: ignore[valid-type]


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


Order = Annotated[int, Field(ge=0, le=9999)]
GroupName = Annotated[str, StringConstraints(pattern=patterns.WORKER_GROUP)]
PlatformName = Annotated[str, StringConstraints(pattern=patterns.PLATFORM)]
DeviceResource = Annotated[str, StringConstraints(pattern=r"^([a-z0-9.-]+/[A-Za-z0-9._-]+)?$")]
RayResource = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]*$")]
Devices = Annotated[str, StringConstraints(pattern=patterns.DEVICES)]
Topology = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(x[1-9][0-9]*){1,2}$")]


class Platform(Part):
    """What the accelerators of one platform have in common."""

    image_tag: str | None = Field(
        default=None, description="Variant of the serve image, after its version; empty: there is none."
    )
    image_hint: str | None = Field(
        default=None, description="Where an image begins that we do not build; for who is refused without one."
    )
    resource: DeviceResource | None = Field(default=None, description="Name of the device resource; empty: none.")
    ray_resource: RayResource | None = Field(
        default=None, description="What Ray calls a device, as its accelerator managers do, such as `GPU`."
    )
    tolerations: list[Toleration] | None = Field(
        default=None, description="Tolerations of the workers; taints of the nodes."
    )


class WorkerGroup(Part):
    """Pods of one size with devices of one class."""

    accelerator: ClassName = Field(description="A key of `accelerators`.")
    devices: PositiveCount | None = Field(default=None, description="Devices of a pod; 1 if not set.")
    hosts: PositiveCount | None = Field(default=None, description="Pods that start and stop together; 1 if not set.")
    order: Order | None = Field(default=None, description="Place among the groups, 1000 if not set; new ones go last.")
    max_workers: PositiveCount | None = Field(default=None, description="Maximum of pods; the class's if not set.")
    pod: Pod | None = Field(default=None, description="The group's pods, with the keys of `podDefaults`.")  # type: ignore[valid-type]


class RayPodDisruptionBudget(Part):
    """Which Ray pods a drain leaves where they are."""

    head: bool
    min_workers: Count


class HuggingFaceToken(Part):
    """The token for gated models."""

    existing_secret: Names
    key: str


class ModelCache(Part):
    """Where downloaded weights are kept."""

    existing_claim: Names
    size_limit: Size


class Storage(Part):
    """What a cluster reads weights with."""

    hugging_face_token: HuggingFaceToken
    model_cache: ModelCache
    ca_bundle: CaBundle


class ServiceAccounts(Part):
    """The accounts of a cluster's pods."""

    head: ServiceAccount
    worker: ServiceAccount


class ClusterPolicy(Part):
    """What a cluster's pods may reach beside what they need."""

    egress: list[EgressRule]


class Incremental(Part):
    """KubeRay's upgrade in steps."""

    gateway_class_name: Names
    url: Annotated[str, StringConstraints(pattern=patterns.HTTP_URL)]
    step_size_percent: Annotated[int, Field(ge=1, le=100)]
    interval_seconds: PositiveCount
    max_surge_percent: Annotated[int, Field(ge=1, le=100)]
    peers: list[Peer]


class UpgradeStrategy(Part):
    """How KubeRay replaces a cluster."""

    type: Literal["new-cluster", "incremental", "none"]
    incremental: Incremental


class ToolCredentials(Part):
    """What agents' tools are asked with."""

    existing_secret: Names


class ClusterDefaults(Part):
    """Defaults for every Ray cluster."""

    image: Image
    head: Head
    autoscaler: Autoscaler
    fault_tolerance: FaultTolerance
    worker_groups: dict[GroupName, WorkerGroup | None]
    pod_disruption_budget: RayPodDisruptionBudget
    queue: Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$")]
    ip_family: IpFamily
    storage: Storage
    service_accounts: ServiceAccounts
    network_policy: ClusterPolicy
    upgrade_strategy: UpgradeStrategy
    drain_seconds: WholeSeconds
    documents: bool
    tool_credentials: ToolCredentials
    env: PodEnv
    spec: Raw


class Instance(Part):
    """The instance types of a class's nodes."""

    gpu_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*$")]
    min_gpu_count: Count
    min_gpu_memory_mib: Count


class MultiHost(Part):
    """What is otherwise for the pods of worker groups of several hosts."""

    devices_per_host: PositiveCount | None = None
    resources: Resources


class AcceleratorDefaults(Part):
    """What an accelerator class, that is a worker group and its nodes, has where its own entry says nothing."""

    order: Order
    platform: PlatformName
    architecture: Literal["amd64", "arm64"]
    resource: DeviceResource
    device_memory: Size
    per_device: dict[str, Quantity | None]
    resources: Resources
    devices_per_host: PositiveCount
    topologies: dict[Devices, Topology | None]
    multi_host: MultiHost
    max_workers: PositiveCount
    drain_seconds: WholeSeconds
    ray_start_params: Texts
    node_selector: Texts
    tolerations: list[Toleration]
    instance: Instance
    node_requirements: dict[str, list[str] | None]
    pod: Pod  # type: ignore[valid-type]


Cluster = partial(ClusterDefaults, "Cluster")
Clusters = dict[ClusterName, Cluster | None]  # type: ignore[valid-type]
Accelerator = partial(AcceleratorDefaults, "Accelerator")
Accelerators = dict[ClassName, Accelerator | None]  # type: ignore[valid-type]
Platforms = dict[PlatformName, Platform | None]


class RedisPersistence(Part):
    """The embedded Redis's volume."""

    size: Annotated[Size, StringConstraints(min_length=1)]
    storage_class_name: Names
    existing_claim: Names


class Redis(Part):
    """The embedded Redis."""

    image: Image
    existing_secret: Names
    command: list[str]
    service_account: ServiceAccount
    pod: Pod  # type: ignore[valid-type]
    resources: Resources
    persistence: RedisPersistence
