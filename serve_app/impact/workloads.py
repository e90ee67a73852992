"""The verdict on every object but a RayService."""

from serve_app.impact.effects import Effect, Finding
from serve_app.impact.immutable import refused
from serve_app.impact.manifests import COMPONENT, Key, Object, at, differences, label, same, shown

_MODEL = "ray-vllm-stack.io/model"
_JOB = "ray-vllm-stack.io/job"
_JOBS = ("RayJob.ray.io", "RayCronJob.ray.io")
_POOLS = ("NodePool.karpenter.sh", "EC2NodeClass.karpenter.k8s.aws", "NodeClass.eks.amazonaws.com")
_REPLACING = {
    "NodePool.karpenter.sh": "spec.template",
    "EC2NodeClass.karpenter.k8s.aws": "spec",
    "NodeClass.eks.amazonaws.com": "spec",
    "DaemonSet.apps": "spec.template",
    "StatefulSet.apps": "spec.template",
}
_KEEP = "helm.sh/resource-policy"


def subject(identity: Key, each: Object) -> str:
    """What a reader calls the object."""
    kind = identity[0]
    if kind == "Deployment.apps" and label(each, _MODEL):
        return f"model {label(each, _MODEL)}"
    if kind == "Deployment.apps" and label(each, COMPONENT) == "gateway":
        return "gateway"
    if kind in _JOBS:
        return f"job {label(each, _JOB) or identity[2]}"
    return f"node pool {identity[2]}" if kind == "NodePool.karpenter.sh" else shown(identity)


def created(identity: Key, new: Object) -> Finding:
    """The verdict on an object that is new."""
    return Finding(Effect.CREATED, subject(identity, new), shown(identity), "")


def removed(identity: Key, old: Object) -> Finding:
    """The verdict on an object that goes."""
    name, source = subject(identity, old), shown(identity)
    if (old["metadata"].get("annotations") or {}).get(_KEEP) == "keep":
        return Finding(Effect.IN_PLACE, name, source, f"it stays, since {_KEEP} says keep")
    if identity[0] in _JOBS:
        return Finding(
            Effect.REMOVED, name, source, "its Ray cluster goes; serving is not touched, and its output stays"
        )
    if identity[0] == "PersistentVolumeClaim":
        return Finding(Effect.DOWNTIME, name, source, "what it holds is lost")
    if name == "gateway":
        return Finding(Effect.DOWNTIME, name, source, "nobody answers clients any more")
    if identity[0] in _POOLS:
        return Finding(Effect.POOLS_DRIFT, name, source, "its nodes are drained, once Ray's pods have left them")
    return Finding(Effect.REMOVED, name, source, "it is deleted")


def compare(identity: Key, old: Object, new: Object) -> Finding:
    """The verdict on an object that is there before and after."""
    kind, name, source = identity[0], subject(identity, new), shown(identity)
    changed = tuple(differences(_content(old), _content(new)))
    if not changed:
        return Finding(Effect.UNTOUCHED, name, source, "")
    if paths := refused(kind, old, new):
        why = "the API server refuses to change it, and the upgrade fails half way"
        return Finding(Effect.REFUSED, name, source, why, tuple(paths), instead="a new name, or delete it first")
    if kind == "Deployment.apps":
        return _deployment(name, source, old, new, changed)
    if kind == "ConfigMap" and label(new, COMPONENT) == "gateway":
        why = "the gateway's pods read it again within two minutes, no request is cut"
        return Finding(Effect.GATEWAY_RELOAD, "gateway", source, why, changed)
    if kind in _JOBS:
        why = "a run that has begun goes on as it is; serving is not touched"
        return Finding(Effect.IN_PLACE, name, source, why, changed)
    moved = _REPLACING.get(kind)
    if moved and not same(at(old, moved), at(new, moved)):
        if kind in _POOLS:
            why = "its nodes drift: Karpenter replaces each once Ray's pods have left it"
            return Finding(Effect.POOLS_DRIFT, name, source, why, changed)
        return Finding(Effect.ROLLS, name, source, "its pods are replaced", changed)
    return Finding(Effect.IN_PLACE, name, source, "no pod is touched", changed)


def _content(each: Object) -> Object:
    metadata = each["metadata"]
    meta = {key: metadata.get(key) or {} for key in ("labels", "annotations")}
    return {key: value for key, value in each.items() if key not in ("metadata", "status")} | {"metadata": meta}


def _deployment(name: str, source: str, old: Object, new: Object, changed: tuple[str, ...]) -> Finding:
    if at(new, "spec.replicas") == 0 and at(old, "spec.replicas") != 0:
        return Finding(Effect.DOWNTIME, name, source, "all its pods go", changed)
    if same(at(old, "spec.template"), at(new, "spec.template")):
        return Finding(Effect.IN_PLACE, name, source, "no pod is replaced", changed)
    paths = tuple(path for path in changed if path.startswith("spec.template"))
    rolling = at(new, "spec.strategy.rollingUpdate") or {}
    recreate = at(new, "spec.strategy.type") == "Recreate"
    surge = not recreate and str(rolling.get("maxSurge", "25%")) not in ("0", "0%")
    if surge:
        return Finding(Effect.ROLLS, name, source, "its pods are replaced, new ones first", paths)
    if name.startswith("model ") and (recreate or int(at(new, "spec.replicas") or 1) == 1):
        why = "its only pod is stopped before the new one starts: no answer until that has loaded"
        instead = f"models.{name.partition(' ')[2]}.rollout.maxSurgePercent: 100, where there is room"
        return Finding(Effect.DOWNTIME, name, source, why, paths, instead=instead)
    why = "its pods are stopped before new ones start"
    if label(new, COMPONENT) == "redis":
        why = "Redis restarts: until it is back each gateway pod counts its own limits"
    return Finding(Effect.ROLLS, name, source, why, paths)
