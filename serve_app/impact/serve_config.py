"""What Ray Serve does to an application whose entry in `serveConfigV2` changes.

The rule is `get_app_code_version` of Serve's deploy_utils and `requires_actor_restart` of its version, both read in the
source of the pinned Ray; tests/contract holds this module against them.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import yaml

from serve_app.impact.errors import ImpactError
from serve_app.impact.manifests import Json, Object, same

_CODE: dict[str, Json] = {"import_path": None, "runtime_env": {}, "args": {}, "autoscaling_policy": None}
"""Keys of an application that are its code version, with what stands for a missing one."""
_RESTART = (
    "ray_actor_options",
    "placement_group_bundles",
    "placement_group_strategy",
    "placement_group_bundle_label_selector",
    "placement_group_fallback_strategy",
    "max_replicas_per_node",
    "gang_scheduling_config",
)
"""Options of a deployment whose change replaces its replicas."""


class AppChange(IntEnum):
    """What becomes of an application's replicas."""

    SAME = 0
    IN_PLACE = 1
    DEPLOYMENTS_ROLL = 2
    ROLLS = 3


@dataclass(frozen=True)
class AppVerdict:
    """What changes, and the deployments whose replicas are replaced."""

    change: AppChange
    changed: tuple[str, ...]
    rolling: tuple[str, ...] = ()


def parse(text: str) -> Object:
    """The Serve config of a RayService.

    Raises:
        ImpactError: It is no YAML map.
    """
    try:
        config = yaml.load(text or "{}", Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError as error:
        raise ImpactError(f"serveConfigV2 is no YAML, correct it: {' '.join(str(error).split())}") from error
    if not isinstance(config, dict):
        raise ImpactError("serveConfigV2 is no map, give it applications")
    return config


def applications(config: Object) -> dict[str, Object]:
    """Name -> application."""
    return {str(each.get("name", "")): each for each in config.get("applications") or []}


def deployments(application: Object) -> dict[str, Object]:
    """Name -> override of a deployment."""
    return {str(each.get("name", "")): each for each in application.get("deployments") or []}


def compare(old: Object, new: Object) -> AppVerdict:
    """What Serve does to the replicas of one application."""
    if same(old, new):
        return AppVerdict(AppChange.SAME, ())
    before, after = deployments(old), deployments(new)
    code = [key for key, default in _CODE.items() if not same(_given(old, key, default), _given(new, key, default))]
    listed = zip(("policy", "router", "actors"), _listed(before), _listed(after), strict=True)
    code += [f"deployments.{key}" for key, was, to in listed if not same(was, to)]
    if code:
        return AppVerdict(AppChange.ROLLS, tuple(code), tuple(after) or tuple(before))
    changed, rolling = [], []
    for name in sorted({*before, *after}):
        left, right = before.get(name, {}), after.get(name, {})
        options = [each for each in sorted({*left, *right}) if not same(left.get(each), right.get(each))]
        changed += [f"{name}.{option}" for option in options]
        rolling += [name] if set(options) & set(_RESTART) else []
    keys = sorted({*old, *new} - {"deployments", *_CODE})
    changed += [key for key in keys if not same(old.get(key), new.get(key))]
    kind = AppChange.DEPLOYMENTS_ROLL if rolling else AppChange.IN_PLACE
    return AppVerdict(kind, tuple(changed), tuple(rolling))


def _given(application: Object, key: str, default: Json) -> Json:
    value = application.get(key)
    return default if value is None else value


def _listed(overrides: dict[str, Object]) -> tuple[list[Any], list[Any], list[Any]]:
    """What of the deployments is in the application's code version: lists, in order, of those that state it."""
    each = overrides.values()
    scaled = [config for one in each if isinstance(config := one.get("autoscaling_config"), dict)]
    return (
        [config.get("policy") for config in scaled],
        [config for one in each if isinstance(config := one.get("request_router_config"), dict)],
        [config for one in each if isinstance(config := one.get("deployment_actors"), list)],
    )
