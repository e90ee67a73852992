"""Heads that end with their Redis."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from serve_app.impact.effects import Effect, Finding
from serve_app.impact.manifests import COMPONENT, RAY_SERVICE, Key, Object, at, label, shown
from serve_app.impact.ray_service import cluster_name

_WHY = "it ends with Redis and starts anew: replicas answer on, none starts or scales until it is back, a minute or two"


def restarted(new: dict[Key, Object], findings: Sequence[Finding]) -> list[Finding]:
    """Heads whose Redis restarts, of clusters that are not replaced anyway.

    Ray's GCS does not connect again to a Redis that has closed its connection, and ends after 3.5 seconds
    (https://github.com/ray-project/ray/pull/65298).
    """
    replaced = {each.subject for each in findings if each.effect >= Effect.NEW_CLUSTER}
    restarts = {each.source for each in findings if each.effect in (Effect.ROLLS, Effect.DOWNTIME)}
    stores = {
        (namespace, name): shown((kind, namespace, name))
        for (kind, namespace, name), each in new.items()
        if kind == "Deployment.apps" and label(each, COMPONENT) == "redis"
    }
    heads = []
    for identity, service in sorted(new.items()):
        cluster = cluster_name(service) if identity[0] == RAY_SERVICE else ""
        if not cluster or f"cluster {cluster}" in replaced:
            continue
        address = at(service, "spec.rayClusterConfig.gcsFaultToleranceOptions.redisAddress") or ""
        name, _, domain = (urlsplit(str(address)).hostname or "").partition(".")
        if stores.get((domain.partition(".")[0] or identity[1], name)) in restarts:
            heads.append(Finding(Effect.ROLLS, f"head {cluster}", shown(identity), _WHY))
    return heads
