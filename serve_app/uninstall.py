"""`python -m serve_app.uninstall`: deletes RayServices, waits until nothing of them is left, then deletes Secrets.

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


class UninstallError(Exception):
    """Why something is left, in one sentence."""


class ReleaseApi:
    """What is in the release's namespace and has to go before the rest, or would stay."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str) -> None:
        self._session = session
        self._base = f"/apis/ray.io/v1/namespaces/{namespace}"
        self._secrets = f"/api/v1/namespaces/{namespace}/secrets"

    async def delete_service(self, name: str) -> bool:
        """Deletes a RayService; False if there is none, or no such kind."""
        return await self._call("DELETE", f"{self._base}/rayservices/{name}?propagationPolicy=Background") is not None

    async def delete_secret(self, name: str) -> bool:
        """Deletes a Secret; False if there is none."""
        return await self._call("DELETE", f"{self._secrets}/{name}") is not None

    async def left(self, services: list[str]) -> list[str]:
        """What is left of these RayServices and their RayClusters, each with its finalizers."""
        found = [await self._call("GET", f"{self._base}/rayservices/{name}") for name in services]
        left = [_shown("RayService", each) for each in found if each is not None]
        clusters = await self._call("GET", f"{self._base}/rayclusters") or {"items": []}
        return left + [_shown("RayCluster", each) for each in clusters["items"] if _belongs(each, services)]

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
    services: list[str],
    secrets: list[str],
    *,
    timeout_seconds: float,
    say: Callable[[str], object],
    pause_seconds: float = 2,
) -> None:
    """Deletes RayServices, waits, and deletes Secrets.

    Args:
        api: Where they are.
        services: Names of RayServices; those that do not exist count as deleted.
        secrets: Names of Secrets, likewise. They go last: until then requests may be answered.
        timeout_seconds: How long to wait in all; meanwhile a failing API server is asked again.
        say: Prints a line.
        pause_seconds: Between two looks.

    Raises:
        UninstallError: Something is left, or the ServiceAccount may not look.
    """
    began = time.monotonic()
    said = float("-inf")
    pending = list(services)
    state = ""
    while True:
        try:
            while pending:
                deleted = await api.delete_service(pending[0])
                say(f"RayService {pending.pop(0)}: {'deleted' if deleted else 'there is none'}")
            left = await api.left(services) if services else []
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


def _belongs(cluster: dict[str, Any], services: list[str]) -> bool:
    labels = cluster["metadata"].get("labels", {})
    if labels.get("ray.io/originated-from-crd") == "RayService":
        return labels.get("ray.io/originated-from-cr-name") in services
    owners = cluster["metadata"].get("ownerReferences", [])
    return any(owner["kind"] == "RayService" and owner["name"] in services for owner in owners)


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
            await uninstall(api, arguments.rayservice, arguments.secret, timeout_seconds=arguments.timeout, say=say)
    except UninstallError as error:
        say(f"FAILED: {error}")
        return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m serve_app.uninstall", description=__doc__)
    parser.add_argument("--rayservice", nargs="+", default=[], metavar="NAME", help="RayServices to delete")
    parser.add_argument("--secret", nargs="+", default=[], metavar="NAME", help="Secrets to delete after them")
    parser.add_argument("--timeout", type=float, default=300, metavar="S", help="seconds to wait (%(default)s)")
    sys.exit(asyncio.run(_main(parser.parse_args())))
