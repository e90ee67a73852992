"""Options of a deployment that follow from a model's settings; tests hold them against those of Ray's own builders."""

from typing import Any

from ray.serve.config import GangPlacementStrategy, GangRuntimeFailurePolicy, GangSchedulingConfig

from serve_app.models import placement
from serve_app.settings.model import Accelerator, ModelSettings, Parallelism


def name(kind: str, model_id: str) -> str:
    """A deployment's name as Ray Serve LLM makes it: the overrides of the chart say it, and metrics bear it."""
    return f"{kind}:{model_id.replace('.', '_')}"


def options(settings: ModelSettings, kind: str, accelerator: Accelerator, parallelism: Parallelism) -> dict[str, Any]:
    """Name, place and environment. How many replicas there are the chart's overrides say."""
    ranks = parallelism.data
    found: dict[str, Any] = {
        "name": name(kind, settings.model_id),
        "autoscaling_config": {"min_replicas": ranks, "max_replicas": ranks},
        "ray_actor_options": {"runtime_env": {"env_vars": dict(settings.env)}} if settings.env else {},
    }
    first, *others = [placement.bundle(accelerator) for _ in range(placement.workers(parallelism))]
    found["placement_group_bundles"] = [first | {"CPU": 1}, *others]
    if ranks > 1:
        found["gang_scheduling_config"] = GangSchedulingConfig(
            gang_size=ranks,
            gang_placement_strategy=GangPlacementStrategy.PACK,
            runtime_failure_policy=GangRuntimeFailurePolicy.RESTART_GANG,
        )
    else:
        found["placement_group_strategy"] = placement.strategy(accelerator, parallelism)
    return found
