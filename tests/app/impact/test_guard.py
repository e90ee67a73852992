"""The guard against a small API server."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from aiohttp import web

from serve_app.impact import allow
from serve_app.impact.errors import ImpactError
from serve_app.impact.guard import ReleaseApi, guard
from serve_app.impact.manifests import Object
from tests.app.api_server import api_session
from tests.app.impact.release import application, service

BASE = "/apis/ray.io/v1/namespaces/llm/rayservices"
OLD = service(application("owl"))
REBUILT = service(application("owl"), rayClusterDeletionDelaySeconds=100)
REBUILT["spec"]["rayClusterConfig"]["rayVersion"] = "2.61.0"


@dataclass
class FakeApi:
    """RayServices and quotas; keeps the Events."""

    services: list[Object] | None = field(default_factory=list)
    quotas: list[Object] = field(default_factory=list)
    events: list[Object] = field(default_factory=list)
    status: int = 200

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.status != 200:
            return web.Response(status=self.status, text="no")
        if request.method == "POST":
            assert request.path == "/api/v1/namespaces/llm/events"
            self.events.append(await request.json())
            return web.json_response({}, status=201)
        if request.path == "/api/v1/namespaces/llm/resourcequotas":
            return web.json_response({"items": self.quotas})
        assert (request.path, request.query["labelSelector"]) == (BASE, "app.kubernetes.io/instance=demo")
        if self.services is None:
            return web.Response(status=404)
        items = [{key: each[key] for key in ("metadata", "spec")} for each in self.services]  # a list has no kinds
        return web.json_response({"items": items})


@pytest.fixture
async def fake() -> AsyncIterator[tuple[FakeApi, ReleaseApi]]:
    server = FakeApi([OLD])
    async with api_session(server.handle) as session:
        yield server, ReleaseApi(session, "llm")


async def asked(api: ReleaseApi, new: Object, *words: str, approved: tuple[str, ...] = ()) -> tuple[bool, str]:
    said: list[Any] = []
    allowed = allow.parse(words or ["rolls"])
    text = yaml.safe_dump(new)
    passed = await guard(api, text, release="demo", allowed=allowed, approved=approved, say=said.append)
    return passed, "\n".join(said)


async def test_a_new_cluster_is_stopped_and_said_how_to_pass(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    passed, said = await asked(api, REBUILT)
    assert not passed
    digest = said.partition("safeChange.approve: ")[2][:13]
    assert "STOPPED, nothing has changed: new-cluster: cluster main" in said
    (event,) = server.events
    assert (event["type"], event["reason"], event["involvedObject"]["name"]) == (
        "Warning",
        "ChangeStopped",
        "demo-main",
    )
    assert f"safeChange.approve: {digest}" in event["message"]
    assert (await asked(api, REBUILT, approved=(digest,)))[0]
    assert server.events[-1]["reason"] == "ChangeAllowed"
    assert not (await asked(api, REBUILT, approved=("v000000000000",)))[0]


async def test_what_is_allowed_passes(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    assert (await asked(api, REBUILT, "rolls", "new-cluster:main"))[0]
    assert not (await asked(api, REBUILT, "rolls", "new-cluster:other"))[0]
    rolled = service(application("owl", args={"model_id": "owl"}))
    assert (await asked(api, rolled))[0]
    assert not (await asked(api, rolled, "in-place"))[0]
    server.events.clear()
    assert (await asked(api, OLD))[0]
    assert server.events == []  # nothing worth an Event


async def test_nothing_that_runs_is_nothing_to_guard(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    server.services = []
    assert (await asked(api, REBUILT))[0]
    server.services = None
    assert (await asked(api, REBUILT))[0]
    assert server.events == []


async def test_what_cannot_be_scheduled_is_stopped(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    status = {"hard": {"requests.nvidia.com/gpu": "1"}, "used": {"requests.nvidia.com/gpu": "1"}}
    server.quotas = [{"metadata": {"name": "gpus"}, "status": status}]
    passed, said = await asked(api, REBUILT, "new-cluster")
    assert (passed, "the quota has 0 left" in said) == (False, True)


async def test_the_refused_cannot_be_approved(fake: tuple[FakeApi, ReleaseApi]) -> None:
    _, api = fake
    refused = service(application("owl"), managedBy="kueue.x-k8s.io/multikueue")
    passed, said = await asked(api, refused)
    assert not passed
    assert "cannot be approved" in said
    digest = said.partition("; digest ")[2][:13]
    assert not (await asked(api, refused, approved=(digest,)))[0]


async def test_without_an_answer_there_is_no_verdict(fake: tuple[FakeApi, ReleaseApi]) -> None:
    server, api = fake
    server.status = 403
    with pytest.raises(ImpactError, match=r"answers GET .*rayservices.* with 403: no"):
        await asked(api, REBUILT)
