"""`gateway`: the one URL in front of all clusters."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings.chart.part import (
    Count,
    Image,
    Part,
    PositiveCount,
    PositiveSeconds,
    Raw,
    Resources,
    Seconds,
    Texts,
    WholeSeconds,
)

Port = Annotated[int, Field(ge=1, le=65535)]


class Service(Part):
    """The gateway's Service."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"]
    port: Port
    node_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    annotations: Texts


class Limits(Part):
    """What a client may send."""

    max_body_bytes: PositiveCount


class Timeouts(Part):
    """How long the gateway waits for a Ray cluster."""

    connect_seconds: PositiveSeconds
    first_byte_seconds: PositiveSeconds
    idle_seconds: PositiveSeconds


class Retry(Part):
    """What happens to an attempt that failed before the first byte."""

    window_seconds: Seconds


class PodDisruptionBudget(Part):
    """How many gateway pods a drain may take at once."""

    enabled: bool
    max_unavailable: Count | Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}%$")]


class Gateway(Part):
    """The gateway."""

    enabled: bool
    image: Image
    replicas: Count
    resources: Resources
    service: Service
    limits: Limits
    timeouts: Timeouts
    retry: Retry
    drain_seconds: WholeSeconds
    pod_disruption_budget: PodDisruptionBudget
    spec: Raw
