"""From a plan to an answer: which model is asked, and for how long one that fails is."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from .support import FakeModel, Gateway, answer, ask, config_for, error_of, reset, running_gateway, until

NOBODY = "http://127.0.0.1:1"
FAILED = answer(500, b'{"error": {"message": "engine died"}}')


@pytest.fixture
async def fallback() -> AsyncIterator[FakeModel]:
    async with FakeModel().running() as fake:
        yield fake


def config(url: str, fallback: FakeModel, **more: Any) -> dict[str, Any]:
    return (
        config_for("")
        | {
            "models": {"a": {"url": url}, "b": {"url": fallback.url}},
            "routes": {"safe": {"backends": {"a": {}}, "fallback": {"b": {}}}},
            "retry": {"windowSeconds": 10, "beforeFallbackSeconds": 0.2},
            "breaker": {"failures": 3, "openSeconds": 60},
        }
        | more
    )


def transitions(gateway: Gateway) -> dict[str, float | None]:
    return {to: gateway.value("breaker_transitions_total", model="a", to=to) for to in ("open", "half_open", "closed")}


async def ask_for(gateway: Gateway, name: str = "safe", status: int = 200) -> None:
    async with gateway.post(ask(name)) as response:
        assert response.status == status, await response.text()


async def test_a_dead_backend_is_waited_for_three_times_only(fallback: FakeModel, tmp_path: Path) -> None:
    async with running_gateway(tmp_path, config(NOBODY, fallback)) as gateway:
        for _ in range(3):
            began = time.perf_counter()
            await ask_for(gateway)
            assert time.perf_counter() - began > 0.1
        assert gateway.value("breaker_open", model="a") == 1
        retries = gateway.value("retries_total", model="a", reason="connect")
        await asyncio.gather(*(ask_for(gateway) for _ in range(20)))
        assert gateway.value("retries_total", model="a", reason="connect") == retries
        assert gateway.value("fallbacks_total", route="safe", model="a", to="b", reason="breaker_open") == 20
        assert gateway.value("fallbacks_total", route="safe", model="a", to="b", reason="model_unavailable") == 3
        assert transitions(gateway) == {"open": 1, "half_open": 0, "closed": 0}


async def test_a_request_that_is_tried_again_follows_its_model(fallback: FakeModel, tmp_path: Path) -> None:
    """A model that moves to another URL, such as from Ray to a plain vLLM, loses no request that waits for it."""
    settings = config(NOBODY, fallback)
    async with running_gateway(tmp_path, settings) as gateway:
        waiting = asyncio.create_task(ask_for(gateway, "a"))
        await until(lambda: (gateway.value("retries_total", model="a", reason="connect") or 0) > 1)
        settings["models"]["a"]["url"] = fallback.url
        gateway.config.write_text(yaml.safe_dump(settings))
        await waiting
        assert len(fallback.seen) == 1


async def test_a_backend_that_comes_back_is_found_by_one_probe(
    model: FakeModel, fallback: FakeModel, tmp_path: Path
) -> None:
    model.script = [answer(503, b"starting")]
    gate = asyncio.Event()

    async def held(request: Any) -> Any:
        await gate.wait()
        return await answer()(request)

    settings = config(model.url, fallback, breaker={"failures": 1, "openSeconds": 0.3})
    async with running_gateway(tmp_path, settings) as gateway:
        await ask_for(gateway)
        asked = len(model.seen)
        await ask_for(gateway)
        assert len(model.seen) == asked
        model.script = [held]
        await asyncio.sleep(0.3)
        probe = asyncio.create_task(ask_for(gateway))
        await until(lambda: len(model.seen) == asked + 1)
        await ask_for(gateway)
        assert len(model.seen) == asked + 1, "one probe at a time"
        gate.set()
        await probe
        assert (gateway.value("breaker_open", model="a"), len(fallback.seen)) == (0, 3)
        assert transitions(gateway) == {"open": 1, "half_open": 1, "closed": 1}
        await ask_for(gateway)
        assert len(model.seen) == asked + 2


async def test_a_model_that_is_asked_by_its_own_name_has_no_breaker(fallback: FakeModel, tmp_path: Path) -> None:
    retry = {"windowSeconds": 0.1}
    async with running_gateway(tmp_path, config(NOBODY, fallback, retry=retry)) as gateway:
        for _ in range(4):
            await ask_for(gateway)
        for number in range(1, 3):
            await ask_for(gateway, "a", 503)
            assert gateway.value("upstream_errors_total", model="a", reason="connect") == 3 + number


async def test_a_reload_keeps_what_is_known_of_a_backend(fallback: FakeModel, tmp_path: Path) -> None:
    settings = config(NOBODY, fallback)
    async with running_gateway(tmp_path, settings) as gateway:
        for _ in range(3):
            await ask_for(gateway)
        settings["limits"] = {"maxBodyBytes": 5000}
        gateway.config.write_text(yaml.safe_dump(settings))
        await until(lambda: gateway.value("config_reloads_total", source="config", result="ok") == 1)
        assert gateway.value("breaker_open", model="a") == 1
        await ask_for(gateway)
        assert gateway.value("fallbacks_total", route="safe", model="a", to="b", reason="breaker_open") == 1


@pytest.mark.parametrize("status", [500, 502])
async def test_a_server_error_leads_to_the_fallback_where_that_is_asked_for(
    model: FakeModel, fallback: FakeModel, tmp_path: Path, status: int
) -> None:
    model.script = [answer(status, b'{"error": {"message": "engine died"}}')]
    retry = {"fallbackOnServerErrors": True}
    async with running_gateway(tmp_path, config(model.url, fallback, retry=retry)) as gateway:
        for _ in range(4):
            await ask_for(gateway)
        assert (len(model.seen), len(fallback.seen)) == (3, 4)
        assert gateway.value("fallbacks_total", route="safe", model="a", to="b", reason="server_error") == 3
        assert gateway.value("breaker_open", model="a") == 1
        await until(lambda: gateway.value("requests_in_flight", model="a") == 0)


async def test_a_server_error_is_else_the_answer(model: FakeModel, fallback: FakeModel, tmp_path: Path) -> None:
    model.script = [FAILED]
    async with running_gateway(tmp_path, config(model.url, fallback)) as gateway:
        for _ in range(4):
            await ask_for(gateway, status=500)
        assert fallback.seen == []
        assert gateway.value("breaker_open", model="a") == 0


async def test_the_last_models_server_error_is_the_answer(
    model: FakeModel, fallback: FakeModel, tmp_path: Path
) -> None:
    model.script = fallback.script = [FAILED]
    retry = {"fallbackOnServerErrors": True}
    async with running_gateway(tmp_path, config(model.url, fallback, retry=retry)) as gateway:
        await ask_for(gateway, status=500)
        assert (len(model.seen), len(fallback.seen)) == (1, 1)


async def test_a_request_that_kills_its_model_opens_no_breaker(
    model: FakeModel, fallback: FakeModel, tmp_path: Path
) -> None:
    model.script = [reset]
    retry = {"windowSeconds": 10, "maxLost": 0}
    async with running_gateway(tmp_path, config(model.url, fallback, retry=retry)) as gateway:
        for _ in range(4):
            await ask_for(gateway, status=502)
        assert fallback.seen == []
        assert gateway.value("breaker_open", model="a") == 0


@asynccontextmanager
async def deaf() -> AsyncIterator[str]:
    """The URL of a server that never reads."""
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        cast("asyncio.Transport", writer.transport).pause_reading()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1024)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for connection in connections:
            connection.transport.abort()


async def test_a_model_that_does_not_read_holds_nothing_for_long(
    fallback: FakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serve_app.gateway.upstream.connection.WRITE_SECONDS", 0.2)
    retry = {"windowSeconds": 0}
    async with deaf() as url:
        settings = config(url, fallback, retry=retry, limits={"maxBodyBytes": 10**7})
        async with running_gateway(tmp_path, settings) as gateway:
            sent = ask("a", padding="x" * 9_900_000)
            async with asyncio.timeout(10), gateway.post(sent) as response:
                assert (response.status, (await error_of(response))["code"]) == (503, "model_unavailable")
            await until(lambda: gateway.value("buffered_body_bytes") == 0)
            assert gateway.value("upstream_errors_total", model="a", reason="reset") == 1
            async with asyncio.timeout(10), gateway.post(sent | {"model": "safe"}) as response:
                assert response.status == 200
            assert len(fallback.seen[0].body) > 9_900_000
