"""Every series of the gateway that an alert or a panel names is one that the gateway has, with those labels."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client import CollectorRegistry

from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.metrics import AccessMetrics
from serve_app.gateway.admission.metrics import QueueMetrics
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.gateway.http.body_memory import BodyMemory
from serve_app.gateway.metering.metrics import MeteringMetrics
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.routing.metrics import RoutingMetrics
from serve_app.gateway.upstream.breaker import Breakers
from serve_app.settings.gateway import Breaker
from tests.cluster.stack import CHART

PREFIX = "ray_vllm_gateway_"
OF_PROMETHEUS = {"namespace", "job", "pod"}
SELECTED = re.compile(rf"({PREFIX}\w+)\{{([^}}]*)\}}")
GROUPED = re.compile(rf"by \(([^)]*)\)\s*\((?:[^{{}}]|\n)*?({PREFIX}\w+)\{{")


def series() -> dict[str, set[str]]:
    """The gateway's series -> their labels."""
    metrics = Metrics()
    registry: CollectorRegistry = metrics.registry
    for part in (AccessMetrics, LimitMetrics, QueueMetrics, RoutingMetrics, MeteringMetrics, Supervisor):
        part(registry)
    Breakers(Breaker, registry)
    BodyMemory(lambda: 1, registry)
    found: dict[str, set[str]] = {}
    for collector in set(registry._collector_to_names):
        names = registry._collector_to_names[collector]
        labels = set(getattr(collector, "_labelnames", ()))
        found |= {name: labels | ({"le"} if name.endswith("_bucket") else set()) for name in names}
    return found


def queries() -> Iterator[tuple[str, str]]:
    """Where a query is -> the query."""
    for file in sorted((CHART / "files/alerts").glob("*.yaml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield rule["alert"], rule["expr"]
    for file in sorted((CHART / "files/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield f"{file.stem}: {panel['title']} {target['refId']}", target["expr"]


QUERIES = {where: query for where, query in queries() if PREFIX in query}


@pytest.mark.parametrize("where", QUERIES)
def test_series_and_labels_are_the_gateways(where: str) -> None:
    known = series()
    selected = SELECTED.findall(QUERIES[where])
    assert len(selected) == QUERIES[where].count(PREFIX)
    for name, selector in selected:
        assert name in known
        assert set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector)) <= known[name] | OF_PROMETHEUS
    for labels, name in GROUPED.findall(QUERIES[where]):
        assert set(re.split(r",\s*", labels)) <= known[name] | OF_PROMETHEUS


def test_all_of_the_gateways_alerts_are_looked_at() -> None:
    assert len([where for where in QUERIES if where.startswith("Gateway")]) == 13  # two ask for none
    assert sum(len(GROUPED.findall(query)) for query in QUERIES.values()) > 40
