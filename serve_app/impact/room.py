"""Whether there is room for what an edit starts: group ceilings, limits of node pools, quotas of the namespace."""

from collections import defaultdict
from collections.abc import Iterable

from serve_app.impact import ray_service, serve_config
from serve_app.impact.devices import amount, capacity, limits_of, replicas
from serve_app.impact.effects import Effect, Finding
from serve_app.impact.manifests import Object, at, shown
from serve_app.impact.normal import number

_POOL = "ray-vllm-stack.io/node-pool"


def groups(old: Object, new: Object, findings: Iterable[Finding], source: str) -> list[Finding]:
    """Models whose roll finds no pod, since their worker groups may not grow that far.

    A new ceiling of a running cluster does not count: KubeRay keeps it for later.
    """
    effects = {each.subject: each.effect for each in findings}
    if effects.get(f"cluster {ray_service.cluster_name(new)}") is Effect.NEW_CLUSTER:
        return []  # nothing rolls there: the models start on the new cluster
    after, before = (capacity(at(each, "spec.rayClusterConfig") or {}) for each in (new, old))
    ceiling = after | {name: min(size, after.get(name, size)) for name, size in before.items()}
    held: dict[str, float] = defaultdict(float)
    surge: dict[str, tuple[float, str]] = {}
    for name, application in ray_service.models(new).items():
        for override in serve_config.deployments(application).values():
            found = replicas(application, override)
            held[found.accelerator] += found.fewest * found.devices
            rolls = effects.get(f"model {name}") is Effect.ROLLS and found.surge_percent > 0
            if rolls and found.surge > surge.get(found.accelerator, (0, ""))[0]:
                surge[found.accelerator] = (found.surge, name)
    missing = []
    for accelerator, (more, name) in sorted(surge.items()):
        if accelerator in ceiling and held[accelerator] + more > ceiling[accelerator]:
            why = (
                f"its roll needs {amount(more, accelerator)} more, the models' fewest replicas have "
                f"{held[accelerator]:g}, and the worker groups end at {ceiling[accelerator]:g}"
            )
            instead = f"models.{name}.rollout.maxSurgePercent: 0, or a higher maxWorkers, which waits for a new cluster"
            missing.append(Finding(Effect.NO_ROOM, f"model {name}", source, why, instead=instead))
    return missing


def pools(new: Iterable[Object], findings: Iterable[Finding]) -> list[Finding]:
    """New clusters whose pods do not fit beside the old ones into the limits of their NodePools."""
    objects = list(new)
    limits = _limits(objects)
    rebuilt = {each.name for each in findings if each.effect is Effect.NEW_CLUSTER}
    missing = []
    for service in (each for each in objects if each["kind"] == "RayService"):
        cluster = ray_service.cluster_name(service)
        for pool, needed in _needed(service).items() if cluster in rebuilt else ():
            for resource, quantity in needed.items():
                limit = limits.get(pool, {}).get(resource)
                if limit is not None and 2 * quantity > limit:
                    both = f"{2 * quantity:g} {resource}"
                    why = f"two clusters side by side need {both} of node pool {pool}, whose limit is {limit:g}"
                    instead = "raise the pool's limits for the time of the swap"
                    source = shown(("RayService", "", str(service["metadata"]["name"])))
                    missing.append(Finding(Effect.NO_ROOM, f"cluster {cluster}", source, why, instead=instead))
    return missing


def _limits(objects: Iterable[Object]) -> dict[str, dict[str, float]]:
    """Node pool -> resource -> limit, of the pools of spot and of on-demand nodes together; no limit of one is none."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for each in (each for each in objects if each["kind"] == "NodePool"):
        labels = at(each, "spec.template.metadata.labels") or {}
        limits = {name: number(value) for name, value in (at(each, "spec.limits") or {}).items()}
        known = {name: value for name, value in limits.items() if value is not None}
        found[str(labels.get(_POOL, each["metadata"]["name"]))].append(known)
    return {
        pool: {name: sum(each[name] for each in all_) for name in all_[0] if all(name in each for each in all_)}
        for pool, all_ in found.items()
    }


def quotas(found: Iterable[Object], new: Iterable[Object], findings: Iterable[Finding]) -> list[Finding]:
    """New clusters whose pods do not fit into what ResourceQuotas have left."""
    rebuilt = {each.name for each in findings if each.effect is Effect.NEW_CLUSTER}
    needed: dict[str, float] = defaultdict(float)
    names = []
    for service in (each for each in new if each["kind"] == "RayService"):
        if ray_service.cluster_name(service) in rebuilt:
            names.append(ray_service.cluster_name(service))
            for requests in _needed(service).values():
                for resource, quantity in requests.items():
                    needed[f"requests.{resource}"] += quantity
    missing = []
    for quota in found:
        hard, used = at(quota, "status.hard") or at(quota, "spec.hard") or {}, at(quota, "status.used") or {}
        for resource, quantity in sorted(needed.items()):
            limit = number(hard.get(resource))
            left = None if limit is None else limit - (number(used.get(resource)) or 0)
            if left is not None and quantity > left:
                why = f"the new cluster needs {quantity:g} {resource}, the quota has {left:g} left"
                source = f"ResourceQuota {quota['metadata']['name']}"
                instead = "raise the quota for the time of the swap"
                missing.append(Finding(Effect.NO_ROOM, f"cluster {names[0]}", source, why, instead=instead))
    return missing


def _needed(service: Object) -> dict[str, dict[str, float]]:
    """Node pool (or nothing) -> resource -> what the worker pods of the fewest replicas ask for."""
    config = at(service, "spec.rayClusterConfig") or {}
    fewest: dict[str, float] = defaultdict(float)
    for application in ray_service.models(service).values():
        for override in serve_config.deployments(application).values():
            found = replicas(application, override)
            fewest[found.accelerator] += found.fewest * found.devices
    total: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for group in config.get("workerGroupSpecs") or []:
        sizes = capacity({"workerGroupSpecs": [group | {"maxReplicas": 1}]})
        pool = str((at(group, "template.spec.nodeSelector") or {}).get(_POOL, ""))
        for accelerator, size in sizes.items():
            pods = -(-fewest.pop(accelerator, 0) // size) if size else 0
            for resource, quantity in limits_of(group).items():
                total[pool][resource] += pods * (number(quantity) or 0)
    return {pool: {name: value for name, value in needed.items() if value} for pool, needed in total.items()}
