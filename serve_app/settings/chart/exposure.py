"""The parts of `gateway` about its pods and how they are reached: scaling, Service, Ingress, HTTPRoute."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import Count, IpFamily, Names, Part, PositiveCount, Raw, Texts

Port = Annotated[int, Field(ge=1, le=65535)]
HostName = Annotated[str, StringConstraints(pattern=patterns.HOST)]


class Service(Part):
    """The gateway's Service."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"]
    port: Port
    node_port: Port | None = None
    ip_family_policy: Literal["", "SingleStack", "PreferDualStack", "RequireDualStack"]
    ip_families: Annotated[list[IpFamily], Field(max_length=2)]
    annotations: Texts
    spec: Raw


class Host(Part):
    """A host name of the Ingress."""

    tls_secret: Names = Field(
        default="", description="Secret with its certificate; empty: plain HTTP, or the controller's own."
    )


class Ingress(Part):
    """The gateway's Ingress."""

    enabled: bool
    class_name: Names
    hosts: dict[HostName, Host | None]
    annotations: Texts
    spec: Raw


class GkePolicy(Part):
    """A policy of GKE for the gateway's Service."""

    spec: Raw


class Gke(Part):
    """What GKE has in place of an HTTPRoute's time-out."""

    enabled: bool
    timeout_seconds: PositiveCount
    backend_policy: GkePolicy
    health_check_policy: GkePolicy


class HttpRoute(Part):
    """The gateway's HTTPRoute, of the Gateway API."""

    enabled: bool
    parent_refs: list[Raw]
    hostnames: list[HostName]
    timeout: Annotated[str, StringConstraints(pattern=r"^([0-9]{1,5}(h|m|s|ms)){0,4}$")]
    annotations: Texts
    spec: Raw
    gke: Gke


class Autoscaling(Part):
    """The gateway's HorizontalPodAutoscaler."""

    enabled: bool
    min_replicas: PositiveCount
    max_replicas: PositiveCount
    target_cpu_utilization_percentage: PositiveCount | None = Field(
        default=None, alias="targetCPUUtilizationPercentage"
    )
    target_concurrent_requests: PositiveCount | None = None
    spec: Raw


class PodDisruptionBudget(Part):
    """How many gateway pods a drain may take at once."""

    enabled: bool
    max_unavailable: Count | Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}%$")]
