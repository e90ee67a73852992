"""Files and vector stores through the gateway, and the component that asks on behalf of others."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from ..support import FakeModel, Gateway, answer, config_for, error_of, running_gateway, until
from .conftest import EMBEDDINGS


async def test_a_request_goes_on_with_who_sends_it(gateway: Gateway, component: FakeModel) -> None:
    headers = {"x-gateway-team": "ads", "x-gateway-key": "other", "x-request-id": "r1", "cookie": "c"}
    async with gateway.get("/v1/vector_stores/vs_a/files?limit=2&after=file-%2B1", headers=headers) as got:
        assert (got.status, await got.read()) == (201, b'{"id":"file-1"}')
    seen = component.seen[0]
    assert (seen.path, seen.query) == ("/v1/vector_stores/vs_a/files", "limit=2&after=file-%2B1")
    assert seen.headers["authorization"] == "Bearer token-of-the-component"
    assert (seen.headers["x-gateway-team"], seen.headers["x-gateway-key"]) == ("search", "default")
    assert seen.headers["x-request-id"] == "r1"
    assert "cookie" not in seen.headers
    line = await gateway.log_line()
    assert (line["status"], line["team"]) == (201, "search")
    assert gateway.value("requests_total", model="", route="", api="vector_stores", status="2xx") == 1


async def test_an_upload_larger_than_a_json_body_is_streamed(gateway: Gateway, component: FakeModel) -> None:
    content = bytes(range(256)) * 1000
    async with gateway.post(
        content, path="/v1/files", headers={"content-type": "multipart/form-data; boundary=x"}
    ) as got:
        assert got.status == 201
    seen = component.seen[0]
    assert seen.body == content
    assert seen.headers["content-type"] == "multipart/form-data; boundary=x"


async def test_batches_go_on_too(gateway: Gateway, component: FakeModel) -> None:
    async with gateway.post(b"{}", path="/v1/batches/batch_1/cancel") as got:
        assert got.status == 201
    assert component.seen[0].path == "/v1/batches/batch_1/cancel"


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 10_000
        await asyncio.sleep(0)


async def test_a_body_that_is_too_large_is_refused(gateway: Gateway, component: FakeModel) -> None:
    async with gateway.post(b"x" * 400_000, path="/v1/files") as got:
        assert (got.status, (await error_of(got))["code"]) == (413, "request_too_large")
    async with gateway.client.post(f"{gateway.url}/v1/files", data=pieces(40)) as got:
        assert got.status == 413
    async with gateway.post(b"x" * 5000, path="/v1/vector_stores") as got:
        assert got.status == 413
    assert not any(seen.path == "/v1/vector_stores" for seen in component.seen)


@pytest.mark.parametrize(
    "path", ["/v1/files/../vector_stores", "/v1/files/%2e%2e/x", "/v1/files/a%0d%0ab", "/v1/filesystem"]
)
async def test_other_paths_do_not_reach_it(gateway: Gateway, component: FakeModel, path: str) -> None:
    from yarl import URL

    async with gateway.client.get(URL(gateway.url + path, encoded=True)) as got:
        assert got.status == 404
    assert component.seen == []


async def test_without_a_key_nothing_goes_on(gateway: Gateway, component: FakeModel) -> None:
    async with gateway.get("/v1/files", headers={"authorization": "Bearer x"}) as got:
        assert got.status == 401
    assert component.seen == []


async def test_a_component_that_is_away_is_told(gateway: Gateway, component: FakeModel, model: FakeModel) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    component.script = [cut]
    async with gateway.get("/v1/files") as got:
        assert (got.status, (await error_of(got))["code"]) == (503, "data_unavailable")
        assert got.headers["retry-after"] == "5"


async def test_a_client_that_leaves_ends_the_request(gateway: Gateway, component: FakeModel) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1000)
            await asyncio.sleep(0.01)

    component.script = [endless]
    async with gateway.get("/v1/files/file-1/content") as got:
        await got.content.read(10)
        got.close()
    await until(component.cancelled.is_set)


async def test_its_headers_are_nothing_without_its_token(gateway: Gateway, model: FakeModel) -> None:
    model.script = [answer(200, b'{"data":[]}')]
    headers = {"x-gateway-team": "ads", "x-gateway-key": "x"}
    async with gateway.post({"model": "a", "input": "x"}, path=EMBEDDINGS, headers=headers) as got:
        assert got.status == 200, "as the team of the key, which may use it"
    assert (await gateway.log_line())["team"] == "search"


async def test_without_a_component_there_are_no_files(model: FakeModel, tmp_path: Path) -> None:
    async with running_gateway(tmp_path, config_for(model.url)) as running, running.get("/v1/files") as got:
        assert got.status == 404
        assert "There is no GET /v1/files" in (await error_of(got))["message"]
