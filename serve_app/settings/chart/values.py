"""The root of the values."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from serve_app.settings.chart.access import Auth
from serve_app.settings.chart.capacity import Capacity, LimitRange, PriorityClasses, ResourceQuota
from serve_app.settings.chart.cluster_services import (
    MadeSecrets,
    Metrics,
    NetworkPolicy,
    SafeChange,
    SmokeTest,
    Uninstall,
)
from serve_app.settings.chart.data import Data, VectorStores
from serve_app.settings.chart.gateway import Gateway
from serve_app.settings.chart.job import JobDefaults, Jobs
from serve_app.settings.chart.model import ModelDefaults, Models
from serve_app.settings.chart.part import Names, Part, Raw, Registry, Texts
from serve_app.settings.chart.pipeline import PipelineDefaults, Pipelines
from serve_app.settings.chart.pod import PodDefaults
from serve_app.settings.chart.ray import AcceleratorDefaults, Accelerators, ClusterDefaults, Clusters, Platforms, Redis
from serve_app.settings.chart.routes import ProviderDefaults, Providers, Routes

Prefix = Annotated[str, StringConstraints(pattern=r"^([a-z]([a-z0-9-]*[a-z0-9])?)?$", max_length=40)]


class KuberayOperator(Part):
    """The operator's own chart, whose values are its own business."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    enabled: bool


class NamedSecret(Part):
    """An image pull Secret, as in a pod spec."""

    name: Names = Field(description="Name of the Secret.")


PullSecret = Names | NamedSecret


class Global(Part):
    """What umbrella charts set for all their parts; other charts' keys are theirs."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    image_registry: Registry
    image_pull_secrets: list[PullSecret]


class OpenShift(Part):
    """What differs on OpenShift."""

    enabled: bool


class Values(Part):
    """The chart's values."""

    global_: Global = Field(alias="global")
    name_override: Prefix
    fullname_override: Prefix
    common_labels: Texts
    image_pull_secrets: list[PullSecret]
    pod_defaults: PodDefaults
    openshift: OpenShift
    models: Models
    model_defaults: ModelDefaults
    pipelines: Pipelines
    pipeline_defaults: PipelineDefaults
    jobs: Jobs
    job_defaults: JobDefaults
    routes: Routes
    providers: Providers
    provider_defaults: ProviderDefaults
    auth: Auth
    gateway: Gateway
    clusters: Clusters
    cluster_defaults: ClusterDefaults
    platforms: Platforms
    accelerators: Accelerators
    accelerator_defaults: AcceleratorDefaults
    redis: Redis
    data: Data
    vector_stores: VectorStores
    capacity: Capacity
    priority_classes: PriorityClasses
    resource_quota: ResourceQuota
    limit_range: LimitRange
    metrics: Metrics
    network_policy: NetworkPolicy
    safe_change: SafeChange
    made_secrets: MadeSecrets
    uninstall: Uninstall
    smoke_test: SmokeTest
    extra_objects: dict[str, Raw | str | None]
    kuberay_operator: KuberayOperator = Field(alias="kuberay-operator")
