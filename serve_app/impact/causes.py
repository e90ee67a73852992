"""Which values an effect comes from: those that differ, and that the thing derives from."""

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import yaml

from serve_app.impact.effects import Effect, Finding
from serve_app.impact.errors import ImpactError
from serve_app.impact.manifests import Json, differences

_PODS = ("podDefaults", "openshift", "global", "imagePullSecrets", "commonLabels", "fullnameOverride", "nameOverride")
_CLASSES = ("accelerators", "acceleratorDefaults", "platforms", "capacity")
_MODEL = ("modelDefaults", *_CLASSES)
MOST = 5
"""Causes of one finding; who changes more than that is told so by the values themselves."""


def values(old: Json, new: Json) -> list[str]:
    """Paths of the values that differ; an entry that is new or gone is one path."""
    return differences(old or {}, new or {})


def named(findings: Iterable[Finding], changed: Iterable[str]) -> list[Finding]:
    """The findings with their causes among the values that differ, as far as these can be told."""
    paths = list(changed)
    return [
        each if each.effect is Effect.UNTOUCHED else replace(each, causes=_causes(each, paths)) for each in findings
    ]


def _causes(finding: Finding, paths: list[str]) -> tuple[str, ...]:
    patterns = _patterns(finding)
    return tuple([path for path in paths if any(_matches(path, pattern) for pattern in patterns)][:MOST])


def _matches(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}.*")


def _patterns(finding: Finding) -> list[str]:
    kind, _, name = finding.subject.partition(" ")
    source = finding.source
    if kind == "model":
        return [f"models.{name}", *(_MODEL if finding.effect is not Effect.CREATED else ()), "clusterDefaults", *_PODS]
    if kind == "cluster":
        entries = ("models", "modelDefaults") if _from_models(finding) else ()
        return [f"clusters.{name}", "clusterDefaults", *_CLASSES, *_PODS, *entries]
    if finding.subject == "gateway" and source.startswith("ConfigMap"):
        return ["gateway", "routes", "providers", "providerDefaults", "models", "modelDefaults", "auth"]
    if finding.subject == "gateway":
        return ["gateway", "auth", "providers", *_PODS]
    if kind in ("node", "EC2NodeClass", "NodeClass"):
        return list(_CLASSES)
    return [area for area in ("redis", "metrics", "networkPolicy", "auth", "gateway") if area in source.lower()]


def _from_models(finding: Finding) -> bool:
    """Whether worker groups or volumes differ, which come and go with models where the values state none."""
    ends = ("workerGroupSpecs", "groupName", "maxReplicas", "volumes", "volumeMounts")
    return any(path.endswith(ends) for path in finding.changed)


def merged(texts: Iterable[str]) -> dict[str, Any]:
    """Values files over each other, as helm merges them.

    Raises:
        ImpactError: One is no YAML map.
    """
    found: dict[str, Any] = {}
    for text in texts:
        try:
            values_ = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise ImpactError(f"a values file is no YAML, correct it: {' '.join(str(error).split())}") from error
        if not isinstance(values_, dict):
            raise ImpactError("a values file is no map, give it keys")
        found = _over(found, values_)
    return found


def _over(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _over(under[key], value)
        for key, value in over.items()
        if isinstance(value, dict) and isinstance(under.get(key), dict)
    }
    return under | over | both
