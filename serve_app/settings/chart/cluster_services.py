"""`metrics`, `networkPolicy`, `uninstall`, `smokeTest`: what lies around the clusters."""

from typing import Annotated

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import (
    EgressRule,
    Interval,
    Name,
    Part,
    Peer,
    PositiveCount,
    Raw,
    Texts,
)
from serve_app.settings.chart.pod import Pod

AllowedEffect = Annotated[str, StringConstraints(pattern=patterns.EFFECT)]
Digest = Annotated[str, StringConstraints(pattern=patterns.DIGEST)]


class Monitor(Part):
    """A ServiceMonitor or a PodMonitor."""

    enabled: bool
    labels: Texts
    interval: Interval
    relabelings: list[Raw]
    metric_relabelings: list[Raw]


class Alert(Part):
    """What differs in one alert."""

    enabled: bool | None = Field(default=None, description="False leaves the alert out.")
    threshold: float | None = Field(default=None, description="The number that the alert compares with.")
    for_: Interval | None = Field(default=None, alias="for", description="How long it has to be so.")
    labels: Texts | None = Field(default=None, description="Further labels, or other ones; null removes one.")


class Rules(Part):
    """The alerts."""

    enabled: bool
    labels: Texts
    alerts: dict[Name, Alert | None]
    runbook_url: Annotated[str, StringConstraints(pattern=r"^(https?://\S+)?$")]


class Dashboards(Part):
    """The Grafana dashboard."""

    enabled: bool
    labels: Texts
    annotations: Texts


class Metrics(Part):
    """What Prometheus and Grafana are given."""

    service_monitor: Monitor
    pod_monitor: Monitor
    rules: Rules
    dashboards: Dashboards


class NetworkPolicy(Part):
    """Who may talk to whom."""

    enabled: bool
    clients: list[Peer]
    monitoring: list[Peer]
    operator: list[Peer]
    gateway_egress: list[EgressRule]


class SafeChange(Part):
    """What happens before `helm upgrade`."""

    enabled: bool
    allow: list[AllowedEffect]
    approve: Digest
    timeout_seconds: PositiveCount
    pod: Pod  # type: ignore[valid-type]


class MadeSecrets(Part):
    """What happens before `helm install` and `helm upgrade` where keys or passwords are not stated."""

    timeout_seconds: PositiveCount
    pod: Pod  # type: ignore[valid-type]


class Uninstall(Part):
    """What happens before `helm uninstall`."""

    enabled: bool
    timeout_seconds: PositiveCount
    pod: Pod  # type: ignore[valid-type]


class SmokeTest(Part):
    """`helm test`."""

    pod: Pod  # type: ignore[valid-type]
