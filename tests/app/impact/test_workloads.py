"""Every other kind of object."""

from typing import Any

import pytest

from serve_app.impact.effects import Effect
from serve_app.impact.manifests import Object
from tests.app.impact.release import deployment, effects, thing

RECREATE = {"type": "Recreate"}
POOL = {"template": {"spec": {"requirements": []}}, "limits": {"cpu": "1"}}
CLAIM = {"storageClassName": "a", "resources": {"requests": {"storage": "1Gi"}}}
MODEL = {"labels": {"ray-vllm-stack.io/model": "owl"}}
IN_STEPS = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


def pool(**spec: Any) -> Object:
    return thing("NodePool", "l4", "karpenter.sh/v1", spec=POOL | spec)


def claim(**spec: Any) -> Object:
    return thing("PersistentVolumeClaim", "data", spec=CLAIM | spec)


def model(image: str, **spec: Any) -> Object:
    return deployment("demo-model-owl", "standalone", image, **MODEL, **spec)


def job(**spec: Any) -> Object:
    return thing("RayJob", "demo-reviews-1", "ray.io/v1", labels={"ray-vllm-stack.io/job": "reviews"}, spec=spec)


CASES: dict[str, tuple[Object, Object, dict[str, Effect]]] = {
    "nothing": (deployment("g"), deployment("g"), {}),
    "gateway image": (deployment("g"), deployment("g", image="b"), {"gateway": Effect.ROLLS}),
    "gateway replicas": (deployment("g"), deployment("g", replicas=2), {"gateway": Effect.IN_PLACE}),
    "gateway to none": (deployment("g"), deployment("g", replicas=0), {"gateway": Effect.DOWNTIME}),
    "selector": (deployment("g"), deployment("g", selector={"matchLabels": {}}), {"gateway": Effect.REFUSED}),
    "a job's image": (job(image="a"), job(image="b"), {"job reviews": Effect.IN_PLACE}),
    "model image": (model("a"), model("b"), {"model owl": Effect.ROLLS}),
    "model, recreated": (model("a"), model("b", strategy=RECREATE), {"model owl": Effect.DOWNTIME}),
    "model, one in its place": (model("a"), model("b", strategy=IN_STEPS), {"model owl": Effect.DOWNTIME}),
    "model, some in their places": (model("a"), model("b", strategy=IN_STEPS, replicas=2), {"model owl": Effect.ROLLS}),
    "redis": (
        deployment("r", "redis"),
        deployment("r", "redis", "b", strategy=RECREATE),
        {"Deployment r": Effect.ROLLS},
    ),
    "gateway configuration": (
        thing("ConfigMap", "g", component="gateway", data={"a": "b"}),
        thing("ConfigMap", "g", component="gateway", data={"a": "c"}),
        {"gateway": Effect.GATEWAY_RELOAD},
    ),
    "pool template": (pool(), pool(template={"spec": {}}), {"node pool l4": Effect.POOLS_DRIFT}),
    "pool limits": (pool(), pool(limits={"cpu": "2"}), {"node pool l4": Effect.IN_PLACE}),
    "node class": (
        thing("EC2NodeClass", "a", "karpenter.k8s.aws/v1", spec={"tags": {}}),
        thing("EC2NodeClass", "a", "karpenter.k8s.aws/v1", spec={"tags": {"a": "b"}}),
        {"EC2NodeClass a": Effect.POOLS_DRIFT},
    ),
    "node class of EKS Auto Mode": (
        thing("NodeClass", "a", "eks.amazonaws.com/v1", spec={"tags": {}}),
        thing("NodeClass", "a", "eks.amazonaws.com/v1", spec={"tags": {"a": "b"}}),
        {"NodeClass a": Effect.POOLS_DRIFT},
    ),
    "node class, its labels": (
        thing("EC2NodeClass", "a", "karpenter.k8s.aws/v1", spec={}),
        thing("EC2NodeClass", "a", "karpenter.k8s.aws/v1", spec={}, labels={"a": "b"}),
        {"EC2NodeClass a": Effect.IN_PLACE},
    ),
    "claim grows": (
        claim(),
        claim(resources={"requests": {"storage": "2Gi"}}),
        {"PersistentVolumeClaim data": Effect.IN_PLACE},
    ),
    "claim of another class": (claim(), claim(storageClassName="b"), {"PersistentVolumeClaim data": Effect.REFUSED}),
    "address of a service": (
        thing("Service", "s", spec={}),
        thing("Service", "s", spec={"clusterIP": "None"}),
        {"Service s": Effect.REFUSED},
    ),
    "address left out": (
        thing("Service", "s", spec={"clusterIP": "None"}),
        thing("Service", "s", spec={}),
        {"Service s": Effect.IN_PLACE},
    ),
    "whose role": (
        thing("RoleBinding", "r", "rbac.authorization.k8s.io/v1", roleRef={"name": "a"}),
        thing("RoleBinding", "r", "rbac.authorization.k8s.io/v1", roleRef={"name": "b"}),
        {"RoleBinding r": Effect.REFUSED},
    ),
    "job": (
        thing("Job", "j", "batch/v1", spec={"template": {"a": 1}}),
        thing("Job", "j", "batch/v1", spec={"template": {"a": 2}}),
        {"Job j": Effect.REFUSED},
    ),
    "sealed config": (
        thing("ConfigMap", "c", immutable=True, data={"a": "b"}),
        thing("ConfigMap", "c", immutable=True, data={"a": "c"}),
        {"ConfigMap c": Effect.REFUSED},
    ),
    "daemons": (
        thing("DaemonSet", "d", "apps/v1", spec={"template": {"a": 1}}),
        thing("DaemonSet", "d", "apps/v1", spec={"template": {"a": 2}}),
        {"DaemonSet d": Effect.ROLLS},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of_it(name: str) -> None:
    old, new, expected = CASES[name]
    assert effects(old, new) == expected


@pytest.mark.parametrize(
    ("gone", "effect"),
    [
        (claim(), Effect.DOWNTIME),
        (deployment("g"), Effect.DOWNTIME),
        (pool(), Effect.POOLS_DRIFT),
        (thing("ConfigMap", "c"), Effect.REMOVED),
        (thing("PersistentVolumeClaim", "kept", annotations={"helm.sh/resource-policy": "keep"}), Effect.IN_PLACE),
    ],
)
def test_what_goes(gone: Object, effect: Effect) -> None:
    assert effect in effects(gone, thing("Service", "s")).values()
