"""The rule of new Ray clusters, held against KubeRay's own code (tests/tools/kuberay-rules)."""

from copy import deepcopy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from serve_app.impact.manifests import Object
from serve_app.impact.normal import DEFAULTS
from serve_app.impact.ray_cluster import ClusterChange, compare
from tests.app.impact.conftest import Ask, crd
from tests.app.impact.release import group, service


def said(old: Object, new: Object) -> ClusterChange:
    return compare(old["spec"]["rayClusterConfig"], new["spec"]["rayClusterConfig"])[0]


def put(value: Object, path: str, content: Any) -> None:
    *parents, last = path.split(".")
    at: Any = value
    for parent in parents:
        at = at[int(parent)] if isinstance(at, list) else at.setdefault(parent, {})
    if isinstance(at, list):
        at[int(last)] = content
    elif content is None:
        at.pop(last, None)
    else:
        at[last] = content


POD = "workerGroupSpecs.0.template.spec"
EDITS: dict[str, tuple[str, Any, ClusterChange]] = {
    "nothing": ("rayVersion", "2.60.0", ClusterChange.SAME),
    "memory in other words": (f"{POD}.containers.0.resources.requests.memory", "16384Mi", ClusterChange.SAME),
    "memory in bytes": (f"{POD}.containers.0.resources.requests.memory", "17179869184", ClusterChange.REBUILT),
    "cpu in other words": (f"{POD}.containers.0.resources.requests.cpu", "4000m", ClusterChange.SAME),
    "more cpu": (f"{POD}.containers.0.resources.requests.cpu", "5", ClusterChange.REBUILT),
    "one host, which is the default": ("workerGroupSpecs.0.numOfHosts", 1, ClusterChange.SAME),
    "more hosts": ("workerGroupSpecs.0.numOfHosts", 2, ClusterChange.REBUILT),
    "bounds": ("workerGroupSpecs.0.maxReplicas", 3, ClusterChange.KEPT),
    "replicas": ("workerGroupSpecs.0.replicas", 3, ClusterChange.KEPT),
    "workers to delete": ("workerGroupSpecs.0.scaleStrategy.workersToDelete", ["a"], ClusterChange.KEPT),
    "tolerations": (f"{POD}.tolerations", [{"key": "a", "operator": "Exists"}], ClusterChange.KEPT),
    "scheduling gates of the head": (
        "headGroupSpec.template.spec.schedulingGates",
        [{"name": "a.b/c"}],
        ClusterChange.KEPT,
    ),
    "how pods are replaced": ("upgradeStrategy.type", "Recreate", ClusterChange.KEPT),
    "image": (f"{POD}.containers.0.image", "serve:2", ClusterChange.REBUILT),
    "a label": ("headGroupSpec.template.metadata.labels.a", "b", ClusterChange.REBUILT),
    "Ray's version": ("rayVersion", "2.61.0", ClusterChange.REBUILT),
    "a parameter of ray start": ("headGroupSpec.rayStartParams.num-cpus", "0", ClusterChange.REBUILT),
    "autoscaling": ("enableInTreeAutoscaling", True, ClusterChange.REBUILT),
    "idle time": ("autoscalerOptions.idleTimeoutSeconds", 60, ClusterChange.REBUILT),
    "Redis": ("gcsFaultToleranceOptions.redisAddress", "redis://a:1", ClusterChange.REBUILT),
    "node selector": (f"{POD}.nodeSelector.a", "b", ClusterChange.REBUILT),
    "suspended": ("suspend", True, ClusterChange.SUSPENDED),
    "group renamed": ("workerGroupSpecs.0.groupName", "other", ClusterChange.REBUILT),
    "group appended": ("workerGroupSpecs", [group("l4"), group("t4")], ClusterChange.UPDATED),
    "group inserted": ("workerGroupSpecs", [group("t4"), group("l4")], ClusterChange.REBUILT),
    "group appended, bounds too": (
        "workerGroupSpecs",
        [group("l4", maxReplicas=1), group("t4")],
        ClusterChange.UPDATED,
    ),
    "group appended, another changed": (
        "workerGroupSpecs",
        [group("l4", numOfHosts=2), group("t4")],
        ClusterChange.REBUILT,
    ),
    "groups removed": ("workerGroupSpecs", None, ClusterChange.REBUILT),
}


@pytest.mark.parametrize("name", EDITS)
def test_it_says_what_kuberay_does(kuberay: Ask, name: str) -> None:
    path, content, change = EDITS[name]
    old = service()
    new = deepcopy(old)
    put(new["spec"]["rayClusterConfig"], path, content)
    assert said(old, new) is change
    answer = kuberay(old, new)
    assert answer["hash"] is (change in (ClusterChange.SAME, ClusterChange.KEPT))
    assert answer["update"] is (change in (ClusterChange.UPDATED, ClusterChange.SUSPENDED))
    assert (answer["build"] and not answer["update"]) is (change is ClusterChange.REBUILT)


VALUES = st.sampled_from(
    [
        None,
        1,
        0,
        2,
        "",
        "a",
        "1",
        "1Gi",
        "1024Mi",
        "0.5",
        "500m",
        "1e3",
        True,
        False,
        [],
        {},
        [{"name": "a"}],
        {"a": "b"},
    ]
)
PATHS = st.sampled_from(
    [path for path, _, _ in EDITS.values()]
    + [f"{POD}.containers.0.{key}" for key in ("env", "ports", "volumeMounts", "args", "imagePullPolicy", "command")]
    + [f"{POD}.{key}" for key in ("volumes", "affinity", "terminationGracePeriodSeconds", "hostNetwork", "overhead")]
    + [f"{POD}.containers.0.resources.{key}" for key in ("requests", "limits", "limits.memory", "requests.cpu")]
    + [
        "headServiceAnnotations",
        "workerGroupSpecs.0.scaleStrategy",
        "workerGroupSpecs.0.labels",
        "headGroupSpec.labels",
    ]
    + ["workerGroupSpecs.0.suspend", "workerGroupSpecs.0.idleTimeoutSeconds", "suspend", "managedBy", "authOptions"]
    + ["headGroupSpec.serviceType", "headGroupSpec.enableIngress", "headGroupSpec.resources", "autoscalerOptions"]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(PATHS, VALUES), max_size=3), st.lists(st.tuples(PATHS, VALUES), min_size=1, max_size=3))
def test_it_never_says_less_than_kuberay(
    kuberay: Ask, before: list[tuple[str, Any]], after: list[tuple[str, Any]]
) -> None:
    old = service()
    for path, content in before:
        if fits(old, path):
            put(old["spec"]["rayClusterConfig"], path, deepcopy(content))
    new = deepcopy(old)
    for path, content in after:
        if fits(new, path):
            put(new["spec"]["rayClusterConfig"], path, deepcopy(content))
    if not (valid(old) and valid(new)):
        return
    answer = kuberay(old, new)
    change = said(old, new)
    if answer["build"] and not answer["update"]:
        assert change is ClusterChange.REBUILT
    if answer["update"]:
        assert change in (ClusterChange.UPDATED, ClusterChange.SUSPENDED, ClusterChange.REBUILT)


def fits(value: Object, path: str) -> bool:
    """Whether a path can be followed in what earlier edits have left."""
    at: Any = value["spec"]["rayClusterConfig"]
    for part in path.split(".")[:-1]:
        if isinstance(at, list):
            if int(part) >= len(at):
                return False
            at = at[int(part)]
        elif isinstance(at, dict):
            at = at.get(part, {})
        else:
            return False
    return isinstance(at, dict)


SCHEMA: list[Any] = []


def valid(value: Object) -> bool:
    """Whether the API server would take it: types as in the CRD."""
    import jsonschema

    if not SCHEMA:
        versions = yaml.load(crd().read_text(), Loader=yaml.CSafeLoader)["spec"]["versions"]
        (whole,) = (version["schema"]["openAPIV3Schema"] for version in versions if version["name"] == "v1")
        SCHEMA.append(jsonschema.Draft202012Validator(_plain(whole)))
    return bool(SCHEMA[0].is_valid(value))


def _plain(schema: Any) -> Any:
    """A structural schema as JSON Schema, where numbers and text stand for quantities."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9.]+(m|k|Ki|Mi|Gi|e[0-9]+)?$"}]}
    return {key: _plain(value) for key, value in schema.items() if not key.startswith("x-") and key != "format"}


def test_it_knows_every_default_of_the_crd() -> None:
    (whole,) = (
        version["schema"]["openAPIV3Schema"]
        for version in yaml.load(crd().read_text(), Loader=yaml.CSafeLoader)["spec"]["versions"]
        if version["name"] == "v1"
    )
    found: dict[tuple[str, str], Any] = {}

    def walk(node: Any, around: str, key: str) -> None:
        if "default" in node and "type" in node:
            found[("" if key == "name" else around, key)] = node["default"]
        for name, each in node.get("properties", {}).items():
            walk(each, key, name)
        for inner in ("items", "additionalProperties"):
            if isinstance(node.get(inner), dict):
                walk(node[inner], around, key)

    walk(whole["properties"]["spec"]["properties"]["rayClusterConfig"], "", "rayClusterConfig")
    bounds = {("workerGroupSpecs", key) for key in ("replicas", "minReplicas", "maxReplicas")}
    assert {at: value for at, value in found.items() if at not in bounds} == DEFAULTS
