"""Two clusters of one release are apart: neither reaches, mounts or acts as the other; two releases share no node."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from tests.golden.policies import End, allowed
from tests.golden.rendering import VALUES, render

DEMO, EKS = (next(values for values in VALUES if values.stem == stem) for stem in ("cpu-demo", "eks-gpu"))
CELLS = """
models:
  a: {source: pvc://weights-a/m, accelerator: l4, cluster: team-a}
  b: {source: pvc://weights-b/m, accelerator: l4, cluster: team-b}
clusters:
  team-a:
    storage: {huggingFaceToken: {existingSecret: token-a}, modelCache: {existingClaim: cache-a}}
    faultTolerance: {enabled: true, address: "redis://redis-a:6379", existingSecret: redis-a}
  team-b:
    storage: {huggingFaceToken: {existingSecret: token-b}, modelCache: {existingClaim: cache-b}}
    faultTolerance: {enabled: true, address: "redis://redis-b:6380", existingSecret: redis-b}
"""
# What opens something to a pod, by the key that names it.
GRANTS = ("serviceAccountName", "claimName", "secretName")


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    file = tmp_path_factory.mktemp("cells") / "values.yaml"
    file.write_text(CELLS)
    return list(yaml.safe_load_all(render(DEMO, "--values", str(file))))


def cluster(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found = (each for each in objects if each["kind"] == "RayService" and each["metadata"]["name"].endswith(name))
    return next(found)["spec"]["rayClusterConfig"]


def grants(node: Any) -> Iterator[str]:
    """The accounts, claims and Secrets that a part of a manifest names."""
    if isinstance(node, list):
        for each in node:
            yield from grants(each)
    elif isinstance(node, dict):
        yield from (f"{key} {node[key]}" for key in GRANTS if key in node)
        for key, value in node.items():
            if key == "secretKeyRef":
                yield f"{key} {value['name']}"
            yield from grants(value)


def pods(objects: list[dict[str, Any]], name: str) -> dict[str, End]:
    config = cluster(objects, name)
    templates = {"head": config["headGroupSpec"], "worker": config["workerGroupSpecs"][0]}
    return {role: End(each["template"]["metadata"]["labels"], "llm") for role, each in templates.items()}


def test_cells_share_no_grant(objects: list[dict[str, Any]]) -> None:
    mine, yours = set(grants(cluster(objects, "team-a"))), set(grants(cluster(objects, "team-b")))
    assert mine == {
        "serviceAccountName demo-ray-vllm-stack-team-a-head",
        "serviceAccountName demo-ray-vllm-stack-team-a-worker",
        "claimName cache-a",
        "claimName weights-a",
        "secretKeyRef token-a",
        "secretKeyRef redis-a",
    }
    assert not mine & yours


@pytest.mark.parametrize("port", [6379, 8000, 8080, 8265, 10001, 30000, 52365])
@pytest.mark.parametrize("target", ["head", "worker"])
@pytest.mark.parametrize("source", ["head", "worker"])
def test_cells_do_not_reach_each_other(objects: list[dict[str, Any]], source: str, target: str, port: int) -> None:
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    mine, yours = pods(objects, "team-a"), pods(objects, "team-b")
    assert allowed(policies, mine[source], mine[target], port)
    assert not allowed(policies, mine[source], yours[target], port)
    assert not allowed(policies, yours[source], mine[target], port)


def test_cells_reach_their_own_redis(objects: list[dict[str, Any]]) -> None:
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    redis = End(address="10.1.2.3")
    for name, mine, other in (("team-a", 6379, 6380), ("team-b", 6380, 6379)):
        head = pods(objects, name)["head"]
        assert allowed(policies, head, redis, mine)
        assert not allowed(policies, head, redis, other)


def test_gateway_and_operator_reach_all_cells(objects: list[dict[str, Any]]) -> None:
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    (gateway,) = (
        each for each in objects if each["kind"] == "Deployment" and each["metadata"]["name"].endswith("gateway")
    )
    front = End(gateway["spec"]["template"]["metadata"]["labels"], "llm")
    operator = End({"app.kubernetes.io/component": "kuberay-operator"}, "ray-system")
    for name in ("team-a", "team-b"):
        cell = pods(objects, name)
        assert allowed(policies, front, cell["worker"], 8000)
        assert allowed(policies, operator, cell["head"], 8265)
        assert not allowed(policies, operator, cell["worker"], 8265)


@cache
def nodes(release: str, namespace: str, *arguments: str) -> tuple[set[str], set[str], set[str]]:
    """The names of a release's cluster-scoped objects, the labels of its nodes, and what its workers select."""
    rendered = list(yaml.safe_load_all(render(EKS, *arguments, release=release, namespace=namespace)))
    pools = [each for each in rendered if each["kind"] in ("NodePool", "EC2NodeClass")]
    labels = {
        each["spec"]["template"]["metadata"]["labels"]["ray-vllm-stack.io/node-pool"]
        for each in pools
        if each["kind"] == "NodePool"
    }
    groups = [
        group
        for each in rendered
        if each["kind"] == "RayService"
        for group in each["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    ]
    wanted = {group["template"]["spec"]["nodeSelector"]["ray-vllm-stack.io/node-pool"] for group in groups}
    return {f"{each['kind']} {each['metadata']['name']}" for each in pools}, labels, wanted


LONG = "a-release-with-a-name-of-fifty-three-characters-in-a"
RELEASES = [
    ("llm", "one"),
    ("llm", "two"),
    ("ray-vllm-stack", "x-a"),
    ("a-ray-vllm-stack", "x"),
    (f"{LONG}a", "one"),
    (f"{LONG}b", "one"),
    (f"{LONG}a", "a-namespace-that-is-long-enough-to-cut-everything-after-it"),
]


def test_releases_share_no_node() -> None:
    found = [nodes(*release) for release in RELEASES]
    for names, labels, wanted in found:
        assert wanted == labels
        assert all(len(name.split()[1]) <= 63 for name in names)
    for index in range(3):
        every = [name for each in found for name in each[index]]
        assert len(set(every)) == len(every)
