"""Rendered manifests as a map, and where two objects differ."""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from serve_app.impact.errors import ImpactError

Json = Any
"""What JSON and YAML hold."""
Object = dict[str, Any]
Key = tuple[str, str, str]
"""Kind with its API group, namespace, name."""
RAY_SERVICE, COMPONENT = "RayService.ray.io", "app.kubernetes.io/component"
MAX_BYTES = 64 << 20

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HOOKS = ("helm.sh/hook", "argocd.argoproj.io/hook")


def load(text: str) -> dict[Key, Object]:
    """The objects of a YAML text with documents or lists, hooks left out.

    Args:
        text: What `helm template`, `helm get manifest` or `kubectl get -o yaml` prints.

    Raises:
        ImpactError: It is no YAML, too large, or holds something that is no object, or one twice.
    """
    if len(text) > MAX_BYTES:
        raise ImpactError(f"the manifests have more than {MAX_BYTES >> 20} MiB, compare fewer at a time")
    try:
        documents = list(yaml.load_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise ImpactError(f"the manifests are no YAML, render them anew: {' '.join(str(error).split())}") from error
    found: dict[Key, Object] = {}
    for each in _objects(documents):
        annotations = each["metadata"].get("annotations") or {}
        if any(hook in annotations for hook in _HOOKS):
            continue
        if key(each) in found:
            raise ImpactError(f"the manifests hold {shown(key(each))} twice, render one release only")
        found[key(each)] = each
    return found


def _objects(documents: list[Any]) -> Iterator[Object]:
    for document in documents:
        if document is None:
            continue
        if isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document:
            yield from _objects(document["items"] or [])
        elif isinstance(document, dict) and document.get("kind") and (document.get("metadata") or {}).get("name"):
            yield document
        else:
            raise ImpactError("the manifests hold a document without kind and metadata.name, give rendered ones")


def key(each: Object) -> Key:
    """What tells an object apart."""
    group = str(each.get("apiVersion", "")).rpartition("/")[0]
    kind = f"{each['kind']}.{group}" if group else str(each["kind"])
    return kind, str(each["metadata"].get("namespace") or ""), str(each["metadata"]["name"])


def shown(identity: Key) -> str:
    """An object as a reader names it."""
    return f"{identity[0].partition('.')[0]} {identity[2]}"


def same(old: Json, new: Json) -> bool:
    """Whether two values are the same in JSON, where 1, 1.0 and true are three."""
    return json.dumps(old, sort_keys=True, default=str) == json.dumps(new, sort_keys=True, default=str)


def differences(old: Json, new: Json, path: str = "") -> list[str]:
    """Paths at which two values differ, each as deep as both sides go: `spec.containers.0.image`."""
    if same(old, new):
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        names = sorted({*old, *new}, key=str)
        pairs = [(name, old.get(name), new.get(name)) for name in names]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(number, *both) for number, both in enumerate(zip(old, new, strict=True))]
    else:
        return [path or "."]
    return [deep for name, a, b in pairs for deep in differences(a, b, f"{path}.{name}".lstrip("."))] or [path or "."]


def at(value: Json, path: str) -> Json:
    """What lies at a path, or None."""
    for part in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def label(each: Object, name: str) -> str:
    """A label of an object, or nothing."""
    return str((each["metadata"].get("labels") or {}).get(name) or "")
