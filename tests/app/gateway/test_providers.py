"""Models of providers as their servers meet them: paths, query, headers, fields, APIs, the way through a proxy."""

import json
from pathlib import Path
from typing import Any

import pytest

from .support import CHAT, FakeModel, Gateway, answer, ask, config_for, error_of, running_gateway
from .upstream.certificates import certificate, server_context
from .upstream.connect_proxy import ConnectProxy


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def key(tmp_path: Path) -> str:
    file = tmp_path / "provider-key"
    file.write_text("sk-provider\n")
    return str(file)


def config(model: FakeModel, key: str, **entry: Any) -> dict[str, Any]:
    """Model `a` of the stack, and `p` of a provider that falls in for it in route `safe`."""
    base = model.url.replace("/models/a", "/v1beta/openai")
    provider = {"baseUrl": base, "external": True, "upstreamModel": "big", "apiKeyFile": key} | entry
    return config_for("") | {
        "models": {"a": {"url": "http://127.0.0.1:1"}, "p": provider},
        "routes": {"safe": {"backends": {"a": {}}, "fallback": {"p": {}}}},
        "retry": {"windowSeconds": 0},
    }


async def names(gateway: Gateway) -> list[str]:
    async with gateway.get("/v1/models") as response:
        return [card["id"] for card in (await response.json())["data"]]


async def test_a_request_as_the_provider_wants_it(model: FakeModel, tmp_path: Path, key: str) -> None:
    entry = {
        "query": {"api-version": "2024-10-21"},
        "headers": {"X-Title": "stack"},
        "apiKeyHeader": "api-key",
        "fields": {"top_k": "", "chat_template_kwargs": "", "max_tokens": "max_completion_tokens"},
    }
    sent = ask("p", top_k=3, chat_template_kwargs={"a": [1]}, max_tokens=7, seed=12345678901234567890123)
    headers = {"x-session-id": "s", "cookie": "c"}
    async with (
        running_gateway(tmp_path, config(model, key, **entry)) as gateway,
        gateway.post(sent, headers=headers) as response,
    ):
        assert response.status == 200
    (seen,) = model.seen
    assert (seen.path, seen.query) == ("/v1beta/openai/chat/completions", "api-version=2024-10-21")
    assert (seen.headers["x-title"], seen.headers["api-key"]) == ("stack", "sk-provider")
    assert not {"authorization", "x-session-id", "cookie", "x-request-disconnect-disabled"} & set(seen.headers)
    assert json.loads(seen.body) == ask("big", max_completion_tokens=7, seed=12345678901234567890123)


async def test_an_api_that_the_provider_lacks(model: FakeModel, tmp_path: Path, key: str) -> None:
    """By its own name the provider is refused, as a fallback it is skipped."""
    async with running_gateway(tmp_path, config(model, key, apis=["chat_completions"])) as gateway:
        async with gateway.post(ask("p", max_tokens=3), path="/v1/messages") as response:
            assert response.status == 400
            error = (await response.json())["error"]
        assert error["message"] == "The model 'p' does not have the API messages. Models that do: a, safe."
        async with gateway.post(ask("safe", max_tokens=3), path="/v1/messages") as response:
            assert response.status == 503  # the backend's failure: nobody else was asked
        assert model.seen == []
        async with gateway.post(ask("safe")) as response:
            assert response.status == 200
        assert await names(gateway) == ["a", "p", "safe"]


async def test_what_is_outside_of_v1_is_not_at_a_base_url(model: FakeModel, tmp_path: Path, key: str) -> None:
    async with (
        running_gateway(tmp_path, config(model, key)) as gateway,
        gateway.post({"model": "p", "prompt": "x"}, path="/tokenize") as response,
    ):
        assert (response.status, (await error_of(response))["code"]) == (400, "model_not_supported")
    assert model.seen == []


async def test_a_stored_response_keeps_the_callers_query(model: FakeModel, tmp_path: Path, key: str) -> None:
    entry = {"query": {"api-version": "1"}}
    async with (
        running_gateway(tmp_path, config(model, key, **entry)) as gateway,
        gateway.get("/v1/responses/resp_1?model=p&include=a&api-version=9") as response,
    ):
        assert response.status == 200
    assert (model.seen[0].path, model.seen[0].query) == ("/v1beta/openai/responses/resp_1", "include=a&api-version=1")


async def test_headers_that_a_provider_sends_back(model: FakeModel, tmp_path: Path, key: str) -> None:
    model.script = [answer(set_cookie="a=b", openai_organization="ours", x_ratelimit_limit_tokens="9", alt_svc="h3")]
    async with (
        running_gateway(tmp_path, config(model, key), policy={"tokensPerMinute": 1000}) as gateway,
        gateway.post(ask("p", max_tokens=9)) as response,
    ):
        assert response.headers.getall("x-ratelimit-limit-tokens") == ["1000"]
        assert not {"set-cookie", "openai-organization", "alt-svc"} & {name.lower() for name in response.headers}


@pytest.mark.parametrize("secure", [True, False], ids=["CONNECT", "whole URL"])
async def test_the_way_through_a_proxy(
    model: FakeModel, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch, secure: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
    provider, way = FakeModel(), ConnectProxy(user="me:pass")
    async with way.running(), provider.running(context=server_context(tmp_path) if secure else None):
        monkeypatch.setenv("HTTPS_PROXY" if secure else "HTTP_PROXY", way.url.replace("//", "//me:pass@"))
        settings = config(provider, key)
        settings["models"]["p"]["baseUrl"] = settings["models"]["p"]["baseUrl"].replace("127.0.0.1", "localhost")
        settings["models"]["a"]["url"] = model.url
        async with running_gateway(tmp_path, settings) as gateway:
            for name in ("p", "p", "a"):
                async with gateway.post(ask(name)) as response:
                    assert response.status == 200, await response.text()
    assert (len(provider.seen), len(model.seen)) == (2, 1)
    assert "proxy-authorization" not in provider.seen[0].headers or not secure
    authority = settings["models"]["p"]["baseUrl"].split("/")[2].encode()
    if secure:
        assert way.tunnels == [authority]
    else:
        assert way.passed[0].startswith(b"POST http://%s/v1beta/openai/chat/completions HTTP/1.1\r\n" % authority)
    assert way.refused == 0


async def test_a_proxy_that_refuses(
    model: FakeModel, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = ConnectProxy(user="me:pass")
    async with way.running():
        monkeypatch.setenv("HTTPS_PROXY", way.url)
        settings = config(model, key, baseUrl="https://api.example.com/v1")
        async with running_gateway(tmp_path, settings) as gateway, gateway.post(ask("p")) as response:
            error = await error_of(response)
            assert (response.status, error["code"]) == (503, "model_unavailable")
            assert "proxy" not in error["message"].lower()
            assert gateway.value("upstream_errors_total", model="p", reason="connect") == 1
    assert way.refused == 1
    assert CHAT not in str(model.seen)
