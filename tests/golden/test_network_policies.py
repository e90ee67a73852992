"""Who may talk to whom: the rendered NetworkPolicies over a table, with the labels that the rendered pods have."""

from functools import cache
from typing import Any

import pytest
import yaml

from tests.golden.policies import End, allowed
from tests.golden.rendering import VALUES, render

DEMO = next(values for values in VALUES if values.stem == "cpu-demo")
CLIENTS = "networkPolicy.clients[0].podSelector.matchLabels.app=chat"
SOURCE, ENDPOINT = "models.sparrow.source", "clusterDefaults.env.AWS_ENDPOINT_URL_S3"
MONITORING = "networkPolicy.monitoring[0].namespaceSelector.matchLabels.name=monitoring"
WEB, CREDENTIALS, METADATA = End(address="1.2.3.4"), End(address="169.254.170.23"), End(address="169.254.169.254")
CREDENTIALS_IPV6 = End(address="fd00:ec2::23")


def ends(objects: list[dict[str, Any]]) -> dict[str, End]:
    """The pods of the release by component, and some strangers."""
    found: dict[str, End] = {}
    for each in objects:
        templates = [each] if each["kind"] == "Pod" else []
        if each["kind"] in ("Deployment", "Job"):
            templates = [each["spec"]["template"]]
        if each["kind"] == "RayService":
            cluster = each["spec"]["rayClusterConfig"]
            templates = [group["template"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]
        for template in templates:
            labels = template["metadata"]["labels"]
            component = labels["app.kubernetes.io/component"]
            found[component] = End(labels, "llm")
    found["other operator"] = End({"app.kubernetes.io/component": "kuberay-operator"}, "ray-system")
    found["neighbour"] = End({"app": "chat"}, "llm")
    found["stranger"] = End({"app": "chat"}, "other")
    found["prometheus"] = End({"app": "prometheus"}, "monitoring", namespace_labels={"name": "monitoring"})
    # Another release of this chart in the same namespace.
    other = {**found["gateway"].labels, "app.kubernetes.io/instance": "other"}
    return {
        **found,
        "other gateway": End(other, "llm"),
        "web": WEB,
        "credentials": CREDENTIALS,
        "metadata": METADATA,
        "credentials on IPv6": CREDENTIALS_IPV6,
    }


@cache
def connections(*arguments: str) -> tuple[list[dict[str, Any]], dict[str, End]]:
    objects = list(yaml.safe_load_all(render(DEMO, "--set", "kuberay-operator.enabled=true", *arguments)))
    return [each for each in objects if each["kind"] == "NetworkPolicy"], ends(objects)


YES = [
    ("stranger", "gateway", 8080),
    ("web", "gateway", 8080),
    ("smoke", "gateway", 8080),
    ("prometheus", "gateway", 9090),
    ("gateway", "ray-worker", 8000),
    ("gateway", "ray-head", 8000),
    ("ray-worker", "ray-head", 6379),
    ("ray-head", "ray-worker", 30000),
    ("ray-worker", "ray-worker", 40000),
    ("ray-head", "redis", 6379),
    ("ray-head", "web", 6443),
    ("ray-worker", "web", 443),
    ("ray-worker", "credentials", 80),
    ("ray-worker", "credentials on IPv6", 80),
    ("kuberay-operator", "ray-head", 8265),
    *(("prometheus", "ray-head", port) for port in (8080, 44217, 44227, 9101)),
    *(("prometheus", "ray-worker", port) for port in (8080, 9101)),
]
NO = [
    ("stranger", "gateway", 22),
    *(
        (source, "ray-head", port)
        for source in ("stranger", "neighbour", "web")
        for port in (8265, 6379, 10001, 52365, 8000)
    ),
    ("gateway", "ray-head", 8265),
    ("other gateway", "ray-worker", 8000),
    ("prometheus", "ray-head", 8265),
    ("kuberay-operator", "ray-worker", 52365),
    ("other operator", "ray-head", 8265),
    ("smoke", "ray-worker", 8000),
    *((source, "redis", 6379) for source in ("gateway", "neighbour", "stranger")),
    ("redis", "web", 443),
    ("gateway", "web", 443),
    ("gateway", "redis", 6379),
    ("ray-worker", "metadata", 80),
    ("ray-worker", "web", 22),
]


@pytest.mark.parametrize(("source", "target", "port"), YES)
def test_may(source: str, target: str, port: int) -> None:
    policies, pods = connections()
    assert allowed(policies, pods[source], pods[target], port)


@pytest.mark.parametrize(("source", "target", "port"), NO)
def test_may_not(source: str, target: str, port: int) -> None:
    policies, pods = connections()
    assert not allowed(policies, pods[source], pods[target], port)


@pytest.mark.parametrize("source", ["gateway", "ray-head", "ray-worker"])
@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
def test_may_resolve_names(source: str, protocol: str) -> None:
    policies, pods = connections()
    assert allowed(policies, pods[source], WEB, 53, protocol)


@pytest.mark.parametrize(
    ("source", "target", "port", "may"),
    [
        ("neighbour", "gateway", 8080, True),
        ("smoke", "gateway", 8080, True),
        ("stranger", "gateway", 8080, False),
        ("web", "gateway", 8080, False),
        ("prometheus", "gateway", 9090, True),
        ("neighbour", "gateway", 9090, False),
        ("prometheus", "ray-head", 8080, True),
        ("neighbour", "ray-head", 8080, False),
    ],
)
def test_chosen_clients_and_monitoring(source: str, target: str, port: int, *, may: bool) -> None:
    policies, pods = connections("--set", f"{CLIENTS},{MONITORING}")
    assert allowed(policies, pods[source], pods[target], port) is may


@pytest.mark.parametrize(("peers", "may"), [("", True), ("platform", False), ("ray", True)])
def test_operator_of_another_release(peers: str, *, may: bool) -> None:
    chosen = f"networkPolicy.operator[0].namespaceSelector.matchLabels.name={peers}"
    policies, pods = connections("--set", ",".join(["kuberay-operator.enabled=false", *([chosen] if peers else [])]))
    operator = End(pods["other operator"].labels, "ray-system", namespace_labels={"name": "ray"})
    assert allowed(policies, operator, pods["ray-head"], 8265) is may


def test_cleaning_redis_is_ray() -> None:
    """KubeRay's Job that cleans Redis has the head's labels, but another ray.io/node-type."""
    policies, pods = connections()
    job = End({**pods["ray-head"].labels, "ray.io/node-type": "redis-cleanup"}, "llm")
    assert allowed(policies, job, pods["redis"], 6379)


def test_weights_in_buckets() -> None:
    """What serves them, and what gives pods their credentials on GKE; neither is open to others."""
    policies, pods = connections("--set", f"{SOURCE}=gs://bucket/sparrow,{ENDPOINT}=http://minio.stores:9000")
    assert allowed(policies, pods["ray-worker"], pods["metadata"], 80)
    assert allowed(policies, pods["ray-worker"], pods["metadata"], 988)
    assert allowed(policies, pods["ray-worker"], pods["web"], 9000)
    assert not allowed(policies, pods["ray-worker"], pods["web"], 80)
    assert not allowed(policies, pods["gateway"], pods["metadata"], 80)
    assert not allowed(policies, pods["gateway"], pods["web"], 9000)


FULL = "gateway.redis.enabled=true,gateway.tracing.endpoint=http://collector.monitoring:4318,providers.far.baseUrl=https://x"


@pytest.mark.parametrize(
    ("source", "target", "port", "may"),
    [
        ("gateway", "redis", 6379, True),
        ("gateway", "prometheus", 4318, True),
        ("gateway", "web", 443, True),
        ("gateway", "web", 22, False),
        ("gateway", "prometheus", 9090, False),
        ("gateway", "ray-head", 8265, False),
        ("other gateway", "redis", 6379, False),
        ("ray-head", "redis", 6379, True),
    ],
)
def test_gateway_reaches_what_its_values_name(source: str, target: str, port: int, *, may: bool) -> None:
    policies, pods = connections("--set", FULL)
    assert allowed(policies, pods[source], pods[target], port) is may


def test_redis_of_the_gateway_alone_is_closed_to_ray() -> None:
    alone = "gateway.redis.enabled=true,clusterDefaults.faultTolerance.enabled=false"
    policies, pods = connections("--set", alone)
    assert allowed(policies, pods["gateway"], pods["redis"], 6379)
    assert not allowed(policies, pods["ray-head"], pods["redis"], 6379)
