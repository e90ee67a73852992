"""The verdict on a whole release: objects and models before and after."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from serve_app.impact import heads, ray_service, room, workloads
from serve_app.impact.allow import Allowed
from serve_app.impact.effects import Effect, Finding
from serve_app.impact.manifests import RAY_SERVICE, Key, Object, shown
from serve_app.impact.normal import normal


@dataclass(frozen=True)
class Verdict:
    """Findings, the worst first, and the digest that approves what they say of Ray clusters."""

    findings: tuple[Finding, ...]
    digest: str

    @property
    def worst(self) -> Effect:
        """The worst effect of all."""
        return max((each.effect for each in self.findings), default=Effect.UNTOUCHED)

    def beyond(self, allowed: Allowed) -> list[Finding]:
        """Findings that exceed what is allowed."""
        return [each for each in self.findings if not allowed.permits(each)]


def compare(old: dict[Key, Object], new: dict[Key, Object], quotas: Iterable[Object] = ()) -> Verdict:
    """The verdict on an edit.

    Args:
        old: The objects that run.
        new: Those that are to be applied.
        quotas: ResourceQuotas of the namespace, with their status, where they are known.

    Raises:
        ImpactError: A RayService has a Serve config that cannot be read.
    """
    by_object = {identity: _object(identity, old.get(identity), new.get(identity)) for identity in sorted({*old, *new})}
    services = [each for identity, found in by_object.items() if identity[0] == RAY_SERVICE for each in found]
    findings = _moved([each for found in by_object.values() for each in found])
    findings += heads.restarted(new, findings)
    findings += room.pools(new.values(), findings)
    findings += room.quotas(quotas, new.values(), findings)
    findings.sort(key=lambda each: (-each.effect, each.subject, each.source))
    return Verdict(tuple(findings), _digest(services, new))


def _object(identity: Key, old: Object | None, new: Object | None) -> list[Finding]:
    if identity[0] != RAY_SERVICE:
        if old is None or new is None:
            return [workloads.removed(identity, old) if old else workloads.created(identity, new or {})]
        return [workloads.compare(identity, old, new)]
    source = shown(identity)
    if old and new:
        compared = workloads.compare(identity, old, new)
        if compared.effect is Effect.REFUSED:
            return [compared]
        findings = ray_service.compare(old, new, source)
        return findings + room.groups(old, new, findings, source)
    here = old or new or {}
    effect, why = (Effect.REMOVED, "it goes with its pods") if old else (Effect.CREATED, "")
    names = [f"model {name}" for name in ray_service.models(here)]
    return [Finding(effect, each, source, why) for each in (f"cluster {ray_service.cluster_name(here)}", *names)]


def _moved(findings: list[Finding]) -> list[Finding]:
    """The findings, with one for a model or job that goes from one object to another in place of two."""
    gone = {
        each.subject: each
        for each in findings
        if each.effect is Effect.REMOVED and each.subject.startswith(("model ", "job "))
    }
    come = {each.subject: each for each in findings if each.effect is Effect.CREATED and each.subject in gone}
    gone = {subject: each for subject, each in gone.items() if subject in come}
    kept = [each for each in findings if each not in (*gone.values(), *come.values())]
    for subject, to in come.items():
        if subject.startswith("job "):
            why = (
                "it begins anew on a Ray cluster of its own, without the parts that are written; serving is not touched"
            )
            kept.append(Finding(Effect.IN_PLACE, subject, to.source, why))
            continue
        why = f"it moves from {gone[subject].source} to {to.source}: no answer until it has started there"
        instead = "a second entry on the new place, a route that moves the weight, and then without the first"
        kept.append(Finding(Effect.DOWNTIME, subject, to.source, why, instead=instead))
    return kept


def _digest(findings: Iterable[Finding], new: dict[Key, Object]) -> str:
    """A word that stands for these effects on Ray clusters with this outcome, wherever they are worked out."""
    silent = (Effect.UNTOUCHED, Effect.NO_ROOM)
    effects = sorted((each.effect.word, each.subject) for each in findings if each.effect not in silent)
    outcome = {shown(key): normal(each.get("spec")) for key, each in sorted(new.items()) if key[0] == RAY_SERVICE}
    text = json.dumps([effects, outcome], sort_keys=True, default=str)
    return "v" + hashlib.sha256(text.encode()).hexdigest()[:12]  # with a letter, or `--set` took some for numbers
