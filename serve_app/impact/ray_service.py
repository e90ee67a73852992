"""The verdict on a RayService: its cluster, and each of its models."""

from dataclasses import replace

from serve_app.impact import ray_cluster, serve_config
from serve_app.impact.devices import amount, replicas
from serve_app.impact.effects import Effect, Finding
from serve_app.impact.manifests import Object, at, differences, label, same
from serve_app.impact.normal import normal
from serve_app.impact.ray_cluster import ClusterChange
from serve_app.impact.serve_config import AppChange

_CLUSTER = "ray-vllm-stack.io/cluster"
_INCREMENTAL = "NewClusterWithIncrementalUpgrade"
_KNOWN = ("serveConfigV2", "rayClusterConfig", "upgradeStrategy")


def cluster_name(service: Object) -> str:
    """The name of the cluster in the values; of the RayService where it is somebody else's."""
    return label(service, _CLUSTER) or str(service["metadata"]["name"])


def compare(old: Object, new: Object, source: str) -> list[Finding]:
    """The verdicts on the cluster, and on the models that change."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    cluster = _cluster(before, after, f"cluster {cluster_name(new)}", source)
    found = _models(before, after, source)
    if cluster.effect is Effect.NEW_CLUSTER and at(after, "upgradeStrategy.type") != _INCREMENTAL:
        found = [_swapped(each) for each in found]
    return [cluster, *found]


def models(service: Object | None) -> dict[str, Object]:
    """Id -> application of a RayService."""
    text = at(service, "spec.serveConfigV2") if service else ""
    return serve_config.applications(serve_config.parse(str(text or "")))


def _cluster(before: Object, after: Object, subject: str, source: str) -> Finding:
    change, changed = ray_cluster.compare(before.get("rayClusterConfig") or {}, after.get("rayClusterConfig") or {})
    paths = tuple(f"rayClusterConfig.{path}" for path in changed)
    was, to = (at(spec, "upgradeStrategy.type") or "NewCluster" for spec in (before, after))
    if change is ClusterChange.SUSPENDED:
        return Finding(Effect.DOWNTIME, subject, source, "all its pods go until it is resumed", paths)
    if was == "None" and to != "None":
        why = "a new cluster, since edits that the strategy None held back take effect now"
        return Finding(Effect.NEW_CLUSTER, subject, source, why, ("upgradeStrategy.type", *paths))
    if change is ClusterChange.REBUILT and to == "None":
        why = "nothing happens until upgradeStrategy is not None any more: the running cluster keeps what it has"
        return Finding(Effect.IN_PLACE, subject, source, why, paths)
    if change is ClusterChange.REBUILT:
        return Finding(Effect.NEW_CLUSTER, subject, source, _rebuilt(after, to), paths, instead=_instead(changed))
    if change in (ClusterChange.KEPT, ClusterChange.UPDATED):
        return Finding(Effect.IN_PLACE, subject, source, change.value, paths)
    first = differences(_first_start(before), _first_start(after))
    if first:
        why = "Serve takes these options at its start only: they hold from the next new cluster on"
        return Finding(Effect.IN_PLACE, subject, source, why, tuple(f"serveConfigV2.{path}" for path in first))
    rest = differences(*_rest(before, after))
    if rest or was != to:
        paths = (*rest, *(("upgradeStrategy.type",) if was != to else ()))
        return Finding(Effect.IN_PLACE, subject, source, "KubeRay takes it without touching a pod", tuple(paths))
    return Finding(Effect.UNTOUCHED, subject, source, "")


def _rest(before: Object, after: Object) -> tuple[Object, Object]:
    """Both specs without what the cluster and the models are judged by."""
    was, to = ({key: each for key, each in normal(spec).items() if key not in _KNOWN} for spec in (before, after))
    return was, to


def _first_start(spec: Object) -> Object:
    config = serve_config.parse(str(spec.get("serveConfigV2") or ""))
    return {key: value for key, value in config.items() if key != "applications"}


def _rebuilt(after: Object, strategy: str) -> str:
    needed: dict[str, float] = {}
    for application in serve_config.applications(serve_config.parse(str(after.get("serveConfigV2") or ""))).values():
        for override in serve_config.deployments(application).values():
            found = replicas(application, override)
            needed[found.accelerator] = needed.get(found.accelerator, 0) + found.fewest * found.devices
    more = ", ".join(amount(devices, name) for name, devices in sorted(needed.items()) if devices) or "a head pod"
    drain = after.get("rayClusterDeletionDelaySeconds", 60)
    how = "beside the old one, then traffic moves at once"
    if strategy == _INCREMENTAL:
        how = "beside the old one, and traffic moves in steps"
    return f"a new cluster starts {how}: {more} more at least; streams on the old one may go on for {drain} s"


def _instead(changed: list[str]) -> str:
    if any(path == "workerGroupSpecs" or path.endswith(".groupName") for path in changed):
        return "append worker groups and keep those that are there: state clusters.<name>.workerGroups, new ones last"
    if any(path.endswith(".image") for path in changed):
        return "add a second cluster with the new image, and move models by weighted routes"
    if any(".env." in path or path.endswith(".env") for path in changed):
        return "a variable that one model needs goes into models.<id>.env, which rolls that model only"
    if any(".volumes" in path or ".volumeMounts" in path for path in changed):
        return "add a second cluster that mounts the claim, and move models by weighted routes"
    return ""


def _swapped(model: Finding) -> Finding:
    """A model's verdict where a new cluster comes: KubeRay gives the old one no new Serve config any more."""
    if model.effect is Effect.CREATED:
        return replace(model, why="it starts on the new cluster")
    if model.effect is Effect.REMOVED:
        return replace(model, why="it goes with the old cluster")
    why = "it starts anew on the new cluster; the old one answers until all its models have"
    return replace(model, effect=Effect.ROLLS, why=why, instead="")


def _models(before: Object, after: Object, source: str) -> list[Finding]:
    old, new = models({"spec": before}), models({"spec": after})
    found = []
    for name in sorted({*old, *new}):
        subject = f"model {name}"
        if name not in old:
            found.append(Finding(Effect.CREATED, subject, source, "it starts beside the others", (f"models.{name}",)))
        elif name not in new:
            found.append(Finding(Effect.REMOVED, subject, source, "it drains and goes", (f"models.{name}",)))
        else:
            found.append(_model(subject, old[name], new[name], source))
    return found


def _model(subject: str, old: Object, new: Object, source: str) -> Finding:
    verdict = serve_config.compare(old, new)
    changed = verdict.changed
    if verdict.change is AppChange.SAME:
        return Finding(Effect.UNTOUCHED, subject, source, "")
    if verdict.change is AppChange.IN_PLACE:
        return Finding(Effect.IN_PLACE, subject, source, "Serve takes it without replacing a replica", changed)
    overrides = serve_config.deployments(new)
    rolling = [replicas(new, overrides.get(name, {"name": name})) for name in verdict.rolling or overrides or [""]]
    if verdict.change is AppChange.ROLLS and not same(old.get("args"), new.get("args")):
        paths = differences(old.get("args") or {}, new.get("args") or {}, "args")
        changed = (*paths, *(path for path in changed if path != "args"))
    drain = max(each.drain_seconds for each in rolling)
    if all(each.surge_percent > 0 or each.most == 0 for each in rolling):
        more = ", ".join(_surge(each.surge, each.surge_most, each.accelerator) for each in rolling)
        why = f"its replicas are replaced, new ones first: {more} more until the old ones have drained ({drain:g} s)"
        return Finding(Effect.ROLLS, subject, source, why, changed)
    if all(each.fewest > 1 or each.surge_percent > 0 for each in rolling):
        why = "its replicas are replaced without surge, some at a time: it has fewer meanwhile"
        return Finding(Effect.ROLLS, subject, source, why, changed, instead=_surge_instead(subject))
    why = "its only replica is stopped before the new one starts: no answer until that has loaded"
    return Finding(Effect.DOWNTIME, subject, source, why, changed, instead=_surge_instead(subject))


def _surge(least: float, most: float, accelerator: str) -> str:
    few = amount(least, accelerator)
    return few if most <= least else f"{few} (up to {most:g} at full scale)"


def _surge_instead(subject: str) -> str:
    return f"models.{subject.partition(' ')[2]}.rollout.maxSurgePercent: 100, where there is room"
