"""A model without Ray: it is told what it is told on Ray, and only the gateway and monitoring reach it."""

import json
from functools import cache
from typing import Any

import pytest
import yaml

from tests.golden.policies import End, allowed
from tests.golden.rendering import VALUES, render
from tests.golden.test_network_policies import ends

DEMO = next(values for values in VALUES if values.stem == "cpu-demo")
STANDALONE = "models.sparrow.runtime=standalone"
MONITORING = "networkPolicy.monitoring[0].namespaceSelector.matchLabels.name=monitoring,metrics.podMonitor.enabled=true"


@cache
def objects(*settings: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(render(DEMO, *(word for each in settings for word in ("--set", each)))))


def of_kind(found: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in found if each["kind"] == kind]


def applications(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    (service,) = of_kind(found, "RayService")
    return {each["name"]: each for each in yaml.safe_load(service["spec"]["serveConfigV2"])["applications"]}


def test_a_model_that_moves_takes_its_settings_along() -> None:
    (settings,) = (
        each["data"]["model.json"] for each in of_kind(objects(STANDALONE), "ConfigMap") if "model.json" in each["data"]
    )
    assert json.loads(settings) == applications(objects())["sparrow"]["args"]


def test_a_model_that_moves_leaves_the_others_as_they_are() -> None:
    before, after = applications(objects()), applications(objects(STANDALONE))
    assert set(before) - set(after) == {"sparrow"}
    assert all(before[name] == after[name] for name in after)
    clusters = [
        of_kind(found, "RayService")[0]["spec"]["rayClusterConfig"] for found in (objects(), objects(STANDALONE))
    ]
    assert clusters[0] == clusters[1]


def test_the_chart_leaves_no_name_of_ray_in_the_pod() -> None:
    (deployment,) = (
        each for each in of_kind(objects(STANDALONE), "Deployment") if "model-sparrow" in each["metadata"]["name"]
    )
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert [each["name"] for each in container["env"] if each["name"].startswith("RAY_")] == []
    assert {"name": "HF_HUB_OFFLINE", "value": "1"} in container["env"]


@pytest.mark.parametrize(
    ("source", "target", "port", "may"),
    [
        ("gateway", "standalone", 8000, True),
        ("prometheus", "standalone", 8000, True),
        ("gateway", "standalone", 22, False),
        *((source, "standalone", 8000, False) for source in ("neighbour", "stranger", "web", "ray-worker", "smoke")),
        ("other gateway", "standalone", 8000, False),
        ("standalone", "web", 443, True),
        ("standalone", "credentials", 80, True),
        ("standalone", "web", 22, False),
        ("standalone", "ray-head", 8265, False),
        ("standalone", "redis", 6379, False),
        ("gateway", "ray-worker", 8000, True),
    ],
)  # fmt: skip
def test_who_may_reach_whom(source: str, target: str, port: int, *, may: bool) -> None:
    found = objects(STANDALONE, MONITORING)
    pods = ends(found)
    deployment = next(each for each in of_kind(found, "Deployment") if "model-sparrow" in each["metadata"]["name"])
    pods["standalone"] = End(deployment["spec"]["template"]["metadata"]["labels"], "llm")
    assert allowed(of_kind(found, "NetworkPolicy"), pods[source], pods[target], port) is may


def test_nobody_but_the_gateway_comes_in_where_nobody_scrapes() -> None:
    found = objects(STANDALONE)
    pods = ends(found)
    policies = of_kind(found, "NetworkPolicy")
    assert allowed(policies, pods["gateway"], pods["standalone"], 8000)
    assert not allowed(policies, pods["prometheus"], pods["standalone"], 8000)


def test_without_a_standalone_model_the_gateway_reaches_ray_alone() -> None:
    found = objects()
    stranger = End({**ends(found)["ray-worker"].labels, "app.kubernetes.io/component": "standalone"}, "llm")
    assert not allowed(of_kind(found, "NetworkPolicy"), ends(found)["gateway"], stranger, 8000)
