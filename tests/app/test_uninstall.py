"""The uninstall hook against a small API server that deletes as KubeRay does."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from serve_app.uninstall import ReleaseApi, UninstallError, in_cluster, uninstall
from tests.app.api_server import api_session

BASE = "/apis/ray.io/v1/namespaces/llm"
SECRETS = "/api/v1/namespaces/llm/secrets"


def cluster(name: str, service: str, *, labelled: bool = True) -> dict[str, Any]:
    labels = {"ray.io/originated-from-crd": "RayService", "ray.io/originated-from-cr-name": service}
    owner = {"kind": "RayService", "name": service}
    by = {"labels": labels} if labelled else {"ownerReferences": [owner]}
    return {"metadata": {"name": name, "finalizers": ["ray.io/gcs-ft-redis-cleanup-finalizer"], **by}}


@dataclass
class FakeApi:
    """RayServices vanish when deleted; their RayClusters after `looks` more looks, or never."""

    services: list[str]
    clusters: list[dict[str, Any]]
    looks: float = 2
    failures: list[int] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    has_crds: bool = True

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.path_qs}")
        assert request.headers["authorization"] == "Bearer token"
        if self.failures:
            return web.json_response({"message": "no"}, status=self.failures.pop(0))
        if not self.has_crds:
            return web.Response(status=404, text="404 page not found")
        if request.path.startswith(SECRETS):
            assert not self.services
            return web.json_response({}, status=200 if request.path == f"{SECRETS}/issued" else 404)
        kind, _, name = request.path.removeprefix(BASE + "/").partition("/")
        if kind == "rayclusters":
            self.looks -= 1
            if self.looks < 0:
                self.clusters = [each for each in self.clusters if each["metadata"]["name"] == "other"]
            return web.json_response({"items": self.clusters})
        if name not in self.services:
            return web.json_response({"kind": "Status", "code": 404}, status=404)
        if request.method == "DELETE":
            self.services.remove(name)
        return web.json_response({"metadata": {"name": name}})


@pytest.fixture
async def fake() -> AsyncIterator[tuple[FakeApi, ReleaseApi]]:
    server = FakeApi(["demo"], [cluster("demo-x", "demo"), cluster("demo-y", "demo", labelled=False)])
    server.clusters.append(cluster("other", "someone-elses"))
    async with api_session(server.handle, authorization="Bearer token") as session:
        yield server, ReleaseApi(session, "llm")


async def test_it_waits_until_nothing_is_left(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    said: list[str] = []
    await uninstall(
        api, ["rayservices/demo", "rayservices/gone"], [], timeout_seconds=60, say=said.append, pause_seconds=0.01
    )
    assert said[:2] == ["RayService demo: deleted", "RayService gone: there is none"]
    assert "RayCluster demo-x (finalizers: ray.io/gcs-ft-redis-cleanup-finalizer)" in said[2]
    assert "demo-y" in said[2]
    assert "other" not in said[2]
    assert said[-1].startswith("all gone")
    assert server.calls[0] == f"DELETE {BASE}/rayservices/demo?propagationPolicy=Background"
    assert [each["metadata"]["name"] for each in server.clusters] == ["other"]


async def test_no_such_kind_is_a_success(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    server.has_crds = False
    said: list[str] = []
    await uninstall(api, ["rayservices/demo"], [], timeout_seconds=60, say=said.append)
    assert said == ["RayService demo: there is none", "all gone after 0 s"]


async def test_secrets_go_last(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    said: list[str] = []
    await uninstall(
        api, ["rayservices/demo"], ["issued", "gone"], timeout_seconds=60, say=said.append, pause_seconds=0.01
    )
    assert said[-3:-1] == ["Secret issued: deleted", "Secret gone: there is none"]
    assert server.calls[-2:] == [f"DELETE {SECRETS}/issued", f"DELETE {SECRETS}/gone"]


async def test_secrets_may_be_all(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    server.services = []
    await uninstall(api, [], ["issued"], timeout_seconds=60, say=lambda line: None)
    assert server.calls == [f"DELETE {SECRETS}/issued"]


async def test_a_failing_api_server_is_asked_again(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    server.failures = [500, 503]
    await uninstall(api, ["rayservices/demo"], [], timeout_seconds=60, say=lambda line: None, pause_seconds=0.01)
    assert server.services == []


async def test_what_stays_is_named(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    server.looks = float("inf")
    with pytest.raises(UninstallError, match=r"RayCluster demo-x \(finalizers: .*demo-y.* still there after"):
        await uninstall(api, ["rayservices/demo"], [], timeout_seconds=0.1, say=lambda line: None, pause_seconds=0.01)


async def test_a_missing_role_is_told_at_once(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    server.failures = [403]
    with pytest.raises(UninstallError, match=r"may not DELETE .*rayservices/demo.*give it a Role"):
        await uninstall(api, ["rayservices/demo"], [], timeout_seconds=60, say=lambda line: None)
    assert len(server.calls) == 1


async def test_the_pods_own_account_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "namespace").write_text("llm")
    (tmp_path / "ca.crt").write_text("not a certificate")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "::1")
    with pytest.raises(ssl.SSLError):
        async with in_cluster(tmp_path):
            await asyncio.sleep(0)
