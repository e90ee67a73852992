import asyncio
import http.client
import json
from typing import Any

import pytest

from .support import CHAT, KEY, FakeModel, Gateway, ask, error_of


@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/v1/models/a", "/v1/nothing"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": "Bearer "},
        {"x-api-key": "wrong"},
    ],
    ids=["none", "wrong", "another scheme", "longer", "empty", "wrong x-api-key"],
)
async def test_no_valid_key(gateway: Gateway, model: FakeModel, path: str, headers: dict[str, str]) -> None:
    given = {"authorization": "", **headers}
    async with gateway.post(ask(), path=path, headers=given) as response:
        assert response.status == 401
        error = await error_of(response)
        assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")
        assert response.headers["www-authenticate"] == "Bearer"
    assert not model.seen
    failures = [gateway.value("auth_failures_total", reason=reason) or 0 for reason in ("missing", "invalid")]
    assert sorted(failures) == [0, 1]
    assert KEY not in gateway.stdout.getvalue().decode()


@pytest.mark.parametrize(
    "headers", [{"authorization": f"bearer {KEY}"}, {"authorization": "", "x-api-key": KEY}], ids=str
)
async def test_a_valid_key(gateway: Gateway, headers: dict[str, str]) -> None:
    async with gateway.post(ask(), headers=headers) as response:
        assert response.status == 200
    assert (await gateway.log_line())["key"] == "default"


async def test_an_unknown_model(gateway: Gateway) -> None:
    async with gateway.post(ask("nix")) as response:
        assert response.status == 404
        error = await error_of(response)
    assert (error["code"], error["param"], error["type"]) == ("model_not_found", "model", "invalid_request_error")
    assert error["message"] == "The model 'nix' does not exist. Models to use for chat_completions: a, b, chat."
    assert gateway.value("requests_total", model="", route="", api="chat_completions", status="4xx") == 1


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param(b"{", None, id="not JSON"),
        pytest.param(b'{"model": NaN}', None, id="not quite JSON"),
        pytest.param(b"\xff", None, id="not text"),
        pytest.param(b'["model"]', None, id="not an object"),
        pytest.param(b"{}", "model", id="no model"),
        pytest.param(b'{"model": ["a"]}', "model", id="model not a string"),
        pytest.param(b"[" * 4000, None, id="deep"),
    ],
)
async def test_a_bad_body(gateway: Gateway, model: FakeModel, body: bytes, param: str | None) -> None:
    async with gateway.post(body) as response:
        assert response.status == 400
        error = await error_of(response)
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert not model.seen


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "streamed"])
async def test_a_body_too_large(gateway: Gateway, model: FakeModel, chunked: bool) -> None:
    body = json.dumps(ask(padding="x" * 200_000)).encode()

    async def pieces() -> Any:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    async with gateway.post(pieces() if chunked else body) as response:
        assert response.status == 413
        assert (await error_of(response))["message"].startswith("The body is larger than 4096 bytes: ")
    assert not model.seen


@pytest.mark.parametrize(("key", "status"), [("sk-wrong", 401), (KEY, 413)])
async def test_a_client_that_sends_all_before_it_reads_gets_the_refusal(
    gateway: Gateway, key: str, status: int
) -> None:
    """As urllib and many clients do; a connection closed under their hands would be all that they see."""

    def send() -> int:
        connection = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=10)
        headers = {"authorization": f"Bearer {key}", "connection": "close", "content-type": "application/json"}
        connection.request("POST", CHAT, b'{"model": "a", "x": "' + b"x" * 8_000_000 + b'"}', headers)
        return connection.getresponse().status

    assert await asyncio.to_thread(send) == status


async def test_a_body_in_pieces_within_the_limit(gateway: Gateway, model: FakeModel) -> None:
    async def pieces() -> Any:
        for piece in (b'{"model"', b': "a", "me', b'ssages": []}'):
            yield piece

    async with gateway.post(pieces()) as response:
        assert response.status == 200
    assert model.seen[0].body == b'{"model": "a", "messages": []}'


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", CHAT, 405, "POST"),
        ("DELETE", "/v1/completions", 405, "POST"),
        ("POST", "/v1/models", 405, "GET"),
        ("POST", "/v1/nothing", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/docs", 404, None),
    ],
)
async def test_paths_and_methods(gateway: Gateway, method: str, path: str, status: int, allow: str | None) -> None:
    async with gateway.client.request(method, gateway.url + path, allow_redirects=False) as response:
        assert response.status == status
        assert path in (await error_of(response))["message"]
        assert response.headers.get("allow") == allow


@pytest.mark.parametrize("given", ["", "a b", "é", "x" * 129, '"'], ids=ascii)
async def test_a_request_id_is_made_where_there_is_no_plain_one(gateway: Gateway, model: FakeModel, given: str) -> None:
    async with gateway.post(ask(), headers={"x-request-id": given}) as response:
        made = response.headers["x-request-id"]
    assert len(made) == 32
    assert model.seen[0].headers["x-request-id"] == made
    assert (await gateway.log_line())["request_id"] == made


async def test_errors_have_a_request_id_too(gateway: Gateway) -> None:
    async with gateway.get("/v1/nothing", headers={"x-request-id": "mine"}) as response:
        assert response.headers["x-request-id"] == "mine"
    async with gateway.get("/v1/models", headers={"x-request-id": "mine", "authorization": ""}) as response:
        assert response.headers["x-request-id"] == "mine"


async def test_a_fault_of_the_gateway_is_told_in_the_same_shape(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("serve_app.gateway.proxy.request_body.read", lambda *_, **__: 1 / 0)
    async with gateway.post(ask()) as response:
        assert response.status == 500
        assert (await error_of(response))["message"] == "The gateway failed."
    assert "ZeroDivisionError" in caplog.text


async def test_the_log_tells_of_the_request_and_nothing_of_its_content(gateway: Gateway) -> None:
    async with gateway.post(ask("chat", messages=[{"role": "user", "content": "secret words"}])) as response:
        size = len(await response.read())
    line = await gateway.log_line()
    expected = {
        "log": "usage",
        "request_id": response.headers["x-request-id"],
        "method": "POST",
        "path": CHAT,
        "key": "default",
        "model": "a",
        "route": "chat",
        "status": 200,
        "outcome": "2xx",
        "bytes": size,
        "retries": 0,
    }
    assert line | expected == line
    assert 0 < line["ttfb_ms"] <= line["duration_ms"]
    assert "secret" not in gateway.stdout.getvalue().decode()


async def test_probes_are_open_and_not_logged(gateway: Gateway) -> None:
    for path in ("/healthz", "/readyz"):
        async with gateway.get(path, headers={"authorization": ""}) as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
    assert not gateway.stdout.getvalue()
