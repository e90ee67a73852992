"""Run in the serve image: what Ray Serve itself says of pairs of applications.

Reads a JSON list of [old, new] applications; prints for each whether the code version differs, and the names of
deployments whose options need their actors replaced; null where it refuses one of the two.
"""

import json
import sys
from copy import deepcopy
from typing import Any

from ray.serve._private.config import DeploymentConfig
from ray.serve._private.deploy_utils import get_app_code_version
from ray.serve._private.version import DeploymentVersion
from ray.serve.config import GangSchedulingConfig
from ray.serve.schema import ServeApplicationSchema

_OPTIONS = (
    "max_ongoing_requests",
    "graceful_shutdown_timeout_s",
    "user_config",
    "max_surge_percent",
    "health_check_period_s",
)
_VERSION = (
    "ray_actor_options",
    "placement_group_bundles",
    "placement_group_strategy",
    "placement_group_bundle_label_selector",
    "placement_group_fallback_strategy",
    "max_replicas_per_node",
)


def version(override: dict[str, Any]) -> DeploymentVersion:
    """A deployment's version as its override makes it, the code left out."""
    options: dict[str, Any] = {"num_replicas": 4}  # of which every gang is a part
    options |= {key: override[key] for key in _OPTIONS if override.get(key) is not None}
    if gang := override.get("gang_scheduling_config"):
        options["gang_scheduling_config"] = GangSchedulingConfig(**gang)
    given = {key: override.get(key) for key in _VERSION}
    actor = given.pop("ray_actor_options")
    return DeploymentVersion("same", DeploymentConfig(**options), actor or {}, **given)


def restarted(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Names of deployments whose actors have to be replaced."""
    before, after = ({each["name"]: each for each in app.get("deployments", [])} for app in (old, new))
    names = sorted({*before, *after})
    versions = {name: (version(before.get(name, {})), version(after.get(name, {}))) for name in names}
    return [name for name, (was, to) in versions.items() if was.requires_actor_restart(to)]


def answer(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any] | None:
    """What Serve says of a pair, or None where it refuses one of the two; validation changes what it is given."""
    try:
        codes = [get_app_code_version(ServeApplicationSchema.model_validate(deepcopy(each))) for each in (old, new)]
        return {"code": codes[0] != codes[1], "restarted": restarted(old, new)}
    except ValueError:
        return None


json.dump([answer(old, new) for old, new in json.load(sys.stdin)], sys.stdout)
