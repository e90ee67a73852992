"""`python -m serve_app.uninstall`: deletes RayServices and jobs, waits until nothing of them is left, then Secrets.

The chart's pre-delete hook runs it. Were RayServices deleted together with everything else, the KubeRay operator or
Redis could be gone first: then nobody cleans up Redis, and a RayCluster with its finalizer stays for ever. The Secret
of issued API keys is deleted here too, because Helm does not know it.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from serve_app.in_cluster import SERVICE_ACCOUNT
from serve_app.in_cluster import session as in_cluster_session

_PROGRESS_SECONDS = 10
KINDS = {"rayservices": "RayService", "rayjobs": "RayJob", "raycronjobs": "RayCronJob"}
"""Resources that are deleted; what is meant is written as `rayjobs/NAME`."""


class UninstallError(Exception):
    """Why something is left, in one sentence."""


class ReleaseApi:
    """What is in the release's namespace and has to go before the rest, or would stay."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str) -> None:
        self._session = session
        self._base = f"/apis/ray.io/v1/namespaces/{namespace}"
        self._secrets = f"/api/v1/namespaces/{namespace}/secrets"

    async def delete(self, owner: str) -> bool:
        """Deletes what stands in its namespace under `rayservices/NAME`; False if there is none, or no such kind."""
        return await self._call("DELETE", f"{self._base}/{owner}?propagationPolicy=Background") is not None

    async def delete_secret(self, name: str) -> bool:
        """Deletes a Secret; False if there is none."""
        return await self._call("DELETE", f"{self._secrets}/{name}") is not None

    async def left(self, owners: list[str]) -> list[str]:
        """What is left of these and their RayJobs and RayClusters, each with its finalizers."""
        left = []
        for owner in owners:
            found = await self._call("GET", f"{self._base}/{owner}")
            left += [_shown(shown(owner).partition(" ")[0], found)] if found is not None else []
        every = list(owners)
        if any(owner.startswith("raycronjobs/") for owner in owners):
            jobs = await self._call("GET", f"{self._base}/rayjobs") or {"items": []}
            made = [each for each in jobs["items"] if _belongs(each, owners)]
            left += [_shown("RayJob", each) for each in made]
            every += [f"rayjobs/{each['metadata']['name']}" for each in made]
        clusters = await self._call("GET", f"{self._base}/rayclusters") or {"items": []}
        return left + [_shown("RayCluster", each) for each in clusters["items"] if _belongs(each, every)]

    async def _call(self, method: str, path: str) -> dict[str, Any] | None:
        async with self._session.request(method, path) as response:
            if response.status == HTTPStatus.NOT_FOUND:
                return None
            if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                reason = " ".join((await response.text()).split())[:300]
                raise UninstallError(f"the ServiceAccount may not {method} {path}, give it a Role that may: {reason}")
            response.raise_for_status()
            content: dict[str, Any] = await response.json()
            return content


async def uninstall(
    api: ReleaseApi,
    owners: list[str],
    secrets: list[str],
    *,
    timeout_seconds: float,
    say: Callable[[str], object],
    pause_seconds: float = 2,
) -> None:
    """Deletes RayServices and jobs, waits, and deletes Secrets.

    Args:
        api: Where they are.
        owners: What to delete, such as `rayservices/NAME`; what does not exist counts as deleted.
        secrets: Names of Secrets, likewise. They go last: until then requests may be answered.
        timeout_seconds: How long to wait in all; meanwhile a failing API server is asked again.
        say: Prints a line.
        pause_seconds: Between two looks.

    Raises:
        UninstallError: Something is left, or the ServiceAccount may not look.
    """
    began = time.monotonic()
    said = float("-inf")
    pending = list(owners)
    state = ""
    while True:
        try:
            while pending:
                deleted = await api.delete(pending[0])
                say(f"{shown(pending.pop(0))}: {'deleted' if deleted else 'there is none'}")
            left = await api.left(owners) if owners else []
            state = f"{', '.join(left)} still there"
            if not left:
                for name in secrets:
                    say(f"Secret {name}: {'deleted' if await api.delete_secret(name) else 'there is none'}")
                say(f"all gone after {time.monotonic() - began:.0f} s")
                return
        except (aiohttp.ClientError, TimeoutError) as error:
            state = f"the API server fails: {error!r}"
        waited = time.monotonic() - began
        if waited + pause_seconds > timeout_seconds:
            raise UninstallError(
                f"{state} after {waited:.0f} s; see whether the KubeRay operator runs, then uninstall again"
            )
        if waited - said >= _PROGRESS_SECONDS:
            said = waited
            say(f"waiting since {waited:.0f} s: {state}")
        await asyncio.sleep(pause_seconds)


def shown(owner: str) -> str:
    """`rayservices/demo` as a reader names it."""
    resource, _, name = owner.partition("/")
    return f"{KINDS[resource]} {name}"


def _belongs(found: dict[str, Any], owners: list[str]) -> bool:
    names = {shown(owner) for owner in owners}
    labels = found["metadata"].get("labels", {})
    origin = f"{labels.get('ray.io/originated-from-crd')} {labels.get('ray.io/originated-from-cr-name')}"
    references = found["metadata"].get("ownerReferences", [])
    return origin in names or any(f"{each['kind']} {each['name']}" in names for each in references)


def _shown(kind: str, found: dict[str, Any]) -> str:
    finalizers = ", ".join(found["metadata"].get("finalizers", []))
    return f"{kind} {found['metadata']['name']}" + (f" (finalizers: {finalizers})" if finalizers else "")


@asynccontextmanager
async def in_cluster(account: Path = SERVICE_ACCOUNT) -> AsyncIterator[ReleaseApi]:
    """The API of the cluster that this process runs in, with its pod's ServiceAccount."""
    async with in_cluster_session(account) as (session, namespace):
        yield ReleaseApi(session, namespace)


async def _main(arguments: argparse.Namespace) -> int:
    say = partial(print, flush=True)
    try:
        async with in_cluster() as api:
            owners = [f"{kind}/{name}" for kind in KINDS for name in getattr(arguments, kind)]
            await uninstall(api, owners, arguments.secret, timeout_seconds=arguments.timeout, say=say)
    except UninstallError as error:
        say(f"FAILED: {error}")
        return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m serve_app.uninstall", description=__doc__)
    for resource, kind in KINDS.items():
        flag, what = f"--{kind.lower()}", f"{kind}s to delete"
        parser.add_argument(flag, nargs="+", default=[], metavar="NAME", help=what, dest=resource)
    parser.add_argument("--secret", nargs="+", default=[], metavar="NAME", help="Secrets to delete after them")
    parser.add_argument("--timeout", type=float, default=300, metavar="S", help="seconds to wait (%(default)s)")
    sys.exit(asyncio.run(_main(parser.parse_args())))
