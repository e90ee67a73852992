"""A null of a later values file takes back what an earlier one set: nothing of it is left, nor a null."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden.rendering import VALUES, render

DEMO = next(values for values in VALUES if values.stem == "cpu-demo")
ON = yaml.safe_load("""
data: {enabled: true}
gateway: {ingress: {enabled: true}, httpRoute: {enabled: true, parentRefs: [{name: public}]}, redis: {enabled: true}}
metrics:
  serviceMonitor: {enabled: true}
  podMonitor: {enabled: true}
  rules: {enabled: true}
  dashboards: {enabled: true}
""")
# Wherever the values have a map of a user's own keys.
PLACES = (
    "commonLabels",
    "podDefaults.labels",
    "podDefaults.annotations",
    "podDefaults.nodeSelector",
    "gateway.service.annotations",
    "gateway.ingress.annotations",
    "gateway.httpRoute.annotations",
    "gateway.serviceAccount.annotations",
    "gateway.pod.labels",
    "redis.serviceAccount.annotations",
    "data.serviceAccount.annotations",
    "data.pod.annotations",
    "redis.pod.annotations",
    "metrics.serviceMonitor.labels",
    "metrics.podMonitor.labels",
    "metrics.rules.labels",
    "metrics.rules.alerts.GatewayDown.labels",
    "metrics.dashboards.labels",
    "metrics.dashboards.annotations",
    "clusterDefaults.head.pod.labels",
    "clusterDefaults.serviceAccounts.worker.annotations",
    "clusters.main.serviceAccounts.head.annotations",
    "acceleratorDefaults.nodeSelector",
    "accelerators.cpu.pod.annotations",
)


def setting(value: str | None) -> dict[str, Any]:
    """Values with one key in each of the places."""
    values: dict[str, Any] = {}
    for place in PLACES:
        part = values
        for key in place.split("."):
            part = part.setdefault(key, {})
        part[f"example.com/{place}"[:63]] = value
    return values


def rendered(folder: Path, helm: str, *layers: dict[str, Any]) -> str:
    arguments = []
    for number, layer in enumerate(layers):
        file = folder / f"{number}.yaml"
        file.write_text(yaml.safe_dump(layer))
        arguments += ["--values", str(file)]
    return render(DEMO, *arguments, helm=helm)


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_taken_back(tmp_path: Path, helm: str) -> None:
    with_all = rendered(tmp_path, helm, ON, setting("there"))
    assert [place for place in PLACES if f"example.com/{place}"[:63] not in with_all] == []
    without = rendered(tmp_path, helm, ON, setting("there"), setting(None))
    assert without == rendered(tmp_path, helm, ON)
