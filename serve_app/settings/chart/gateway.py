"""`gateway`: the one URL in front of all clusters."""

from typing import Annotated

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.exposure import Autoscaling, HttpRoute, Ingress, PodDisruptionBudget, Service
from serve_app.settings.chart.part import (
    CaBundle,
    Count,
    Image,
    Name,
    Names,
    Part,
    PositiveCount,
    PositiveSeconds,
    Resources,
    Seconds,
    ServiceAccount,
    WholeSeconds,
)
from serve_app.settings.chart.pod import Pod


class Limits(Part):
    """What a client may send."""

    max_body_bytes: PositiveCount
    max_form_bytes: PositiveCount
    max_buffered_bytes: PositiveCount
    body_seconds: PositiveSeconds
    write_seconds: PositiveSeconds


class Cors(Part):
    """Web pages that may call the gateway."""

    origins: dict[Name, Annotated[str, StringConstraints(pattern=patterns.ORIGIN)] | None]
    max_age_seconds: Count


class Timeouts(Part):
    """How long the gateway waits for a Ray cluster."""

    connect_seconds: PositiveSeconds
    first_byte_seconds: PositiveSeconds
    idle_seconds: PositiveSeconds


class Retry(Part):
    """What happens to an attempt that failed before the first byte."""

    window_seconds: Seconds
    before_fallback_seconds: Seconds
    max_lost: Count
    fallback_on_server_errors: bool


class Breaker(Part):
    """When a backend that keeps failing is skipped."""

    failures: Count
    open_seconds: PositiveSeconds


class Queue(Part):
    """Requests that wait for their turn."""

    max_requests: Count
    max_seconds: PositiveSeconds
    background_percent: Annotated[float, Field(gt=0, le=100)]


class KeepAlive(Part):
    """What a streaming client gets while it waits."""

    after_seconds: PositiveSeconds
    every_seconds: PositiveSeconds


class Shadows(Part):
    """Bounds on shadow copies."""

    max_concurrent: PositiveCount


class Metering(Part):
    """What is written down about requests."""

    currency: Annotated[str, StringConstraints(min_length=1)]
    log_prompts: bool
    default_output_tokens: PositiveCount


class GatewayRedis(Part):
    """Where the gateway's replicas share their limits."""

    enabled: bool
    url: Annotated[str, StringConstraints(pattern=patterns.REDIS_URL)]
    existing_secret: Names
    password_key: str
    timeout_seconds: PositiveSeconds


class Tracing(Part):
    """Where spans go."""

    endpoint: Annotated[str, StringConstraints(pattern=patterns.URL)]
    sample_percent: Annotated[float, Field(ge=0, le=100)]


class Proxy(Part):
    """The way out of the cluster."""

    url: Annotated[str, StringConstraints(pattern=patterns.HTTP_URL)]
    no_proxy: list[Annotated[str, StringConstraints(min_length=1)]]


class Gateway(Part):
    """The gateway."""

    enabled: bool
    image: Image
    replicas: Count
    autoscaling: Autoscaling
    resources: Resources
    service: Service
    ingress: Ingress
    http_route: HttpRoute
    limits: Limits
    cors: Cors
    timeouts: Timeouts
    retry: Retry
    breaker: Breaker
    queue: Queue
    keep_alive: KeepAlive
    shadows: Shadows
    redis: GatewayRedis
    metering: Metering
    tracing: Tracing
    proxy: Proxy
    ca_bundle: CaBundle
    drain_seconds: WholeSeconds
    pod_disruption_budget: PodDisruptionBudget
    service_account: ServiceAccount
    pod: Pod  # type: ignore[valid-type]
