"""The hook that stops an upgrade before anything has changed.

The chart's Job runs it with the RayServices of the new manifests, mounted as files. What it says goes to its log,
and to an Event of the RayService.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp

from serve_app.impact import manifests, report, verdict
from serve_app.impact.allow import Allowed
from serve_app.impact.effects import Effect
from serve_app.impact.errors import ImpactError
from serve_app.impact.manifests import Json, Object

_EVENT = 1024
"""Characters of an Event's message."""


class ReleaseApi:
    """What of a release the guard reads and writes in its namespace."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str) -> None:
        self._session = session
        self._namespace = namespace

    async def services(self, release: str) -> list[Object]:
        """The RayServices of a release; none where there is no such kind."""
        path = f"/apis/ray.io/v1/namespaces/{self._namespace}/rayservices"
        found = await self._call("GET", f"{path}?labelSelector=app.kubernetes.io%2Finstance%3D{release}")
        return [{"apiVersion": "ray.io/v1", "kind": "RayService"} | each for each in (found or {}).get("items") or []]

    async def quotas(self) -> list[Object]:
        """The namespace's ResourceQuotas."""
        found = await self._call("GET", f"/api/v1/namespaces/{self._namespace}/resourcequotas")
        return list((found or {}).get("items") or [])

    async def event(self, about: Object, reason: str, message: str, *, warning: bool) -> None:
        """Writes an Event about an object."""
        metadata, now = about["metadata"], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        reference = {key: metadata.get(key) for key in ("name", "namespace", "uid")}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name'][:50]}-", "namespace": self._namespace},
            "involvedObject": {"apiVersion": about["apiVersion"], "kind": about["kind"], **reference},
            "reason": reason,
            "message": message[:_EVENT],
            "type": "Warning" if warning else "Normal",
            "source": {"component": "ray-vllm-stack-guard"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self._call("POST", f"/api/v1/namespaces/{self._namespace}/events", event)

    async def _call(self, method: str, path: str, body: Object | None = None) -> Json:
        try:
            async with self._session.request(method, path, json=body) as response:
                if response.status == HTTPStatus.NOT_FOUND:
                    return None
                if response.status >= HTTPStatus.BAD_REQUEST:
                    reason = " ".join((await response.text()).split())[:300]
                    raise ImpactError(f"the API server answers {method} {path} with {response.status}: {reason}")
                return await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ImpactError(f"the API server cannot be asked, see whether pods reach it: {error!r}") from error


async def guard(
    api: ReleaseApi,
    text: str,
    *,
    release: str,
    allowed: Allowed,
    approved: Sequence[str],
    say: Callable[[str], object],
) -> bool:
    """Whether the upgrade may go on.

    Args:
        api: Where the release is.
        text: The new RayServices.
        release: Its name.
        allowed: What may happen unasked.
        approved: Digests of verdicts that may exceed it.
        say: Prints a text.

    Raises:
        ImpactError: There is no verdict; then the upgrade must not go on either.
    """
    new = manifests.load(text)
    running = await api.services(release)
    found = verdict.compare({manifests.key(each): each for each in running}, new, await api.quotas())
    say(report.table(found, allowed))
    beyond = found.beyond(allowed)
    refused = any(each.effect is Effect.REFUSED for each in beyond)
    if not running or found.worst < Effect.ROLLS:
        return True
    said = "; ".join(f"{each.effect.word}: {each.subject}" for each in beyond or found.findings[:1])
    if refused or (beyond and found.digest not in approved):
        how = f"to let it pass, set safeChange.approve: {found.digest}, or raise safeChange.allow"
        how = "the API server would refuse it, so it cannot be approved" if refused else how
        say(f"STOPPED, nothing has changed: {said}; {how}")
        await api.event(running[0], "ChangeStopped", f"{how}. {said}: {beyond[0].why}", warning=True)
        return False
    say(f"approved: {found.digest}" if beyond else "allowed")
    await api.event(running[0], "ChangeAllowed", f"digest {found.digest}. {said}", warning=False)
    return True
