"""What web pages in a browser get: each header once, on answers and refusals, and leave to send without a key."""

from pathlib import Path

import pytest

from .support import CHAT, FakeModel, answer, ask, config_for, running_gateway

ORIGIN = "http://localhost:3000"
CORS = {"cors": {"origins": [ORIGIN]}}
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,x-stainless-lang",
}


@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/health", "/v1/audio/transcriptions"])
async def test_a_preflight_needs_no_key(model: FakeModel, tmp_path: Path, path: str) -> None:
    async with running_gateway(tmp_path, config_for(model.url) | CORS) as gateway:
        sent = {"authorization": "", **PREFLIGHT}
        async with gateway.client.options(gateway.url + path, headers=sent) as response:
            assert response.status == 204
            assert response.headers.getall("access-control-allow-origin") == [ORIGIN]
            assert response.headers.getall("vary") == ["origin"]
            assert "POST" in response.headers["access-control-allow-methods"]
            allowed = response.headers["access-control-allow-headers"].split(", ")
            assert {"authorization", "content-type", "x-stainless-lang"} <= set(allowed)


async def test_another_page_is_not_let_in(model: FakeModel, tmp_path: Path) -> None:
    async with running_gateway(tmp_path, config_for(model.url) | CORS) as gateway:
        sent = PREFLIGHT | {"origin": "https://elsewhere.example"}
        async with gateway.client.options(gateway.url + CHAT, headers=sent) as response:
            assert not [name for name in response.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(("key", "status"), [(None, 200), ("Bearer wrong", 401)])
async def test_a_page_may_read_answers_and_refusals(
    model: FakeModel, tmp_path: Path, key: str | None, status: int
) -> None:
    model.script = [answer(access_control_allow_origin="*")]  # vLLM's own
    async with running_gateway(tmp_path, config_for(model.url) | CORS) as gateway:
        sent = {"origin": ORIGIN} | ({"authorization": key} if key else {})
        async with gateway.post(ask(), headers=sent) as response:
            assert response.status == status
            assert response.headers.getall("access-control-allow-origin") == [ORIGIN]


async def test_without_origins_nobody_is_answered(model: FakeModel, tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, config_for(model.url)) as gateway,
        gateway.client.options(gateway.url + CHAT, headers=PREFLIGHT) as response,
    ):
        assert response.status == 405
        assert "vary" not in response.headers
