"""What KubeRay does to a Ray cluster when `rayClusterConfig` of its RayService changes.

The rule is `shouldUpdateCluster` and `shouldPrepareNewCluster` of KubeRay's RayService controller, with the hash of
`GenerateHashWithoutReplicasAndWorkersToDelete`.
"""

from copy import deepcopy
from enum import Enum
from typing import Any

from serve_app.impact.manifests import Json, Object, differences, same
from serve_app.impact.normal import normal

_GROUP = ("replicas", "minReplicas", "maxReplicas")
_POD = ("tolerations", "schedulingGates")


class ClusterChange(Enum):
    """What becomes of the Ray cluster."""

    SAME = "nothing differs"
    KEPT = "only what the hash leaves out: KubeRay passes it on with the next change that reaches the cluster"
    UPDATED = "worker groups are appended, or the cluster resumes: the RayCluster is updated in place"
    SUSPENDED = "the cluster is suspended: all its pods go"
    REBUILT = "a new RayCluster"


def compare(old: Object, new: Object) -> tuple[ClusterChange, list[str]]:
    """What KubeRay does, and the paths that differ, below `rayClusterConfig`.

    Args:
        old: `rayClusterConfig` that the running RayCluster was made from.
        new: The one that is to be applied.
    """
    before, after = normal(old), normal(new)
    changed = differences(before, after)
    if not changed:
        return ClusterChange.SAME, []
    if bool(before.get("suspend")) != bool(after.get("suspend")):
        return (ClusterChange.SUSPENDED if after.get("suspend") else ClusterChange.UPDATED), changed
    left, right = hashed(before), hashed(after)
    if same(left, right):
        return ClusterChange.KEPT, changed
    groups = len(left.get("workerGroupSpecs", []))
    first = right | {"workerGroupSpecs": right.get("workerGroupSpecs", [])[:groups]}
    if len(right.get("workerGroupSpecs", [])) > groups and same(left | {"workerGroupSpecs": _groups(left)}, first):
        return ClusterChange.UPDATED, changed
    return ClusterChange.REBUILT, differences(left, right)


def hashed(config: Object) -> Object:
    """The part of `rayClusterConfig` that the hash is made of."""
    found = deepcopy(config)
    found.pop("upgradeStrategy", None)
    _without(found.get("headGroupSpec"), ())
    for group in _groups(found):
        _without(group, _GROUP)
        strategy = group.get("scaleStrategy")
        if isinstance(strategy, dict):
            strategy.pop("workersToDelete", None)
            if not strategy:  # a struct in Go: there without a key
                del group["scaleStrategy"]
    return found


def _groups(config: Object) -> list[Any]:
    return list(config.get("workerGroupSpecs") or [])


def _without(group: Json, keys: tuple[str, ...]) -> None:
    if not isinstance(group, dict):
        return
    for key in keys:
        group.pop(key, None)
    spec = (group.get("template") or {}).get("spec")
    if isinstance(spec, dict):
        for key in _POD:
            spec.pop(key, None)
