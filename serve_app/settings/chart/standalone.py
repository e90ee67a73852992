"""`modelDefaults.standalone`: the Deployment of a model that runs without Ray."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import Part, Raw
from serve_app.settings.chart.pod import Pod


class StandaloneAutoscaling(Part):
    """What adds replicas and removes them."""

    kind: Literal["hpa", "keda"]
    metric: Literal["requests", "cpu"]
    target_cpu_utilization_percentage: Annotated[int, Field(ge=1)] = Field(alias="targetCPUUtilizationPercentage")
    prometheus_url: Annotated[str, StringConstraints(pattern=patterns.URL)]
    spec: Raw


class Standalone(Part):
    """What differs from a model on Ray."""

    autoscaling: StandaloneAutoscaling
    pod: Pod  # type: ignore[valid-type]
    spec: Raw
