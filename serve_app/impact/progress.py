"""How far a change of a release has come, as its live objects tell it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from serve_app.impact.manifests import Object, at, label

_STUCK = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CrashLoopBackOff")
"""Why a container waits where waiting alone heals little; an unschedulable pod may still get its node."""
_FAILED = ("DEPLOY_FAILED",)
"""States of a Serve application that it does not leave by itself; UNHEALTHY it does."""
_MESSAGE = 200


class State(Enum):
    """Where a thing is."""

    DONE = "done"
    GOING = "going"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """One object: its state, and a line for people."""

    state: State
    line: str


def of(objects: Iterable[Object], running: Mapping[str, int]) -> list[Progress]:
    """The progress of each RayService and Deployment.

    Args:
        objects: RayServices, RayClusters, Deployments and pods of a release.
        running: RayCluster -> requests that its engines answer, so far as that is known.
    """
    found = list(objects)
    kinds = {kind: [each for each in found if each["kind"] == kind] for kind in ("RayService", "RayCluster", "Pod")}
    services = [_service(each, kinds["RayCluster"], kinds["Pod"], running) for each in kinds["RayService"]]
    return services + [_deployment(each, kinds["Pod"]) for each in found if each["kind"] == "Deployment"]


def _service(service: Object, clusters: list[Object], pods: list[Object], running: Mapping[str, int]) -> Progress:
    name, status = str(service["metadata"]["name"]), service.get("status") or {}
    active, pending = (status.get(f"{which}ServiceStatus") or {} for which in ("active", "pending"))
    roles = {active.get("rayClusterName"): "active", pending.get("rayClusterName"): "new"}
    owned = [each for each in clusters if label(each, "ray.io/originated-from-cr-name") == name]
    traffic = {
        each["rayClusterName"]: int(each["trafficRoutedPercent"])
        for each in (active, pending)
        if each.get("rayClusterName") and each.get("trafficRoutedPercent") is not None
    }
    parts = [_cluster(each, roles, traffic, pods, running) for each in sorted(owned, key=_made)]
    applications = [
        (app, where)
        for which, where in ((active, ""), (pending, " on the new cluster"))
        for app in sorted((which.get("applicationStatuses") or {}).items())
    ]
    parts += [f"{app} {_said(state)}{where}" for (app, state), where in applications]
    stuck = [
        reason
        for each in pods
        if label(each, "ray.io/cluster") in {c["metadata"]["name"] for c in owned}
        for reason in _stuck(each)
    ]
    line = f"{name}: " + ("; ".join([*parts, *stuck]) or "KubeRay has made no cluster yet")
    states = [state.get("status") for (_, state), _ in applications]
    if stuck or any(state in _FAILED for state in states):
        return Progress(State.FAILED, line)
    done = (
        _seen(service)
        and _condition(service, "Ready") == "True"
        and _condition(service, "UpgradeInProgress") != "True"
        and [each["metadata"]["name"] for each in owned] == [active.get("rayClusterName")]
        and not pending.get("rayClusterName")
        and set(states) <= {"RUNNING"}
    )
    return Progress(State.DONE if done else State.GOING, line if _seen(service) else f"{line}; KubeRay has not seen it")


def _cluster(
    cluster: Object,
    roles: Mapping[Any, str],
    traffic: Mapping[Any, int],
    pods: list[Object],
    running: Mapping[str, int],
) -> str:
    name = str(cluster["metadata"]["name"])
    role = roles.get(name, "old, it drains")
    if name in traffic:
        role += f", {traffic[name]} % of the traffic"
    own = [each for each in pods if label(each, "ray.io/cluster") == name]
    ready = sum(_condition(each, "Ready") == "True" for each in own)
    answers = f", {running[name]} requests running" if name in running else ""
    return f"cluster {name} ({role}): {ready}/{len(own)} pods ready{answers}"


def _deployment(deployment: Object, pods: list[Object]) -> Progress:
    name, status = str(deployment["metadata"]["name"]), deployment.get("status") or {}
    wanted = int(at(deployment, "spec.replicas") or 0)
    updated, there, available = (
        int(status.get(key) or 0) for key in ("updatedReplicas", "replicas", "availableReplicas")
    )
    labels = at(deployment, "spec.selector.matchLabels") or {}
    own = [each for each in pods if labels.items() <= (each["metadata"].get("labels") or {}).items()]
    stuck = [reason for each in own for reason in _stuck(each)]
    line = "; ".join(
        [f"{name}: {updated}/{wanted} pods are new, {available} available, {max(there - updated, 0)} old", *stuck]
    )
    failed = stuck or _reason(deployment, "Progressing") == "ProgressDeadlineExceeded"
    done = _seen(deployment) and updated == there == available == wanted
    return Progress(State.FAILED if failed else State.DONE if done else State.GOING, line)


def _said(application: Object) -> str:
    """An application's status, with the last line of why where it does not run."""
    status = str(application.get("status") or "is not known")
    if status == "RUNNING":
        return status
    deployments = (application.get("serveDeploymentStatuses") or {}).values()
    messages = [str(each.get("message") or "") for each in deployments if each.get("status") != "HEALTHY"]
    lines = "\n".join([str(application.get("message") or ""), *messages]).strip().splitlines()
    return f"{status} ({lines[-1][:_MESSAGE]})" if lines else status


def _stuck(pod: Object) -> list[str]:
    if pod["metadata"].get("deletionTimestamp"):
        return []
    status = pod.get("status") or {}
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    waits = [(each["name"], at(each, "state.waiting") or {}) for each in containers]
    name = pod["metadata"]["name"]
    return [
        f"pod {name}, {container}: {wait['reason']} {str(wait.get('message') or '')[:_MESSAGE]}".strip()
        for container, wait in waits
        if wait.get("reason") in _STUCK
    ]


def _seen(each: Object) -> bool:
    return int(at(each, "status.observedGeneration") or 0) >= int(each["metadata"].get("generation") or 0)


def _condition(each: Object, kind: str) -> str:
    conditions = at(each, "status.conditions") or []
    return next((str(found["status"]) for found in conditions if found["type"] == kind), "")


def _reason(each: Object, kind: str) -> str:
    conditions = at(each, "status.conditions") or []
    return next((str(found.get("reason")) for found in conditions if found["type"] == kind), "")


def _made(each: Object) -> str:
    return str(each["metadata"].get("creationTimestamp") or "")
