"""What a client gets when a model fails, before and after the first byte, and when the client itself leaves."""

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest

from .support import (
    ANSWER,
    SERVE_404,
    FakeModel,
    Gateway,
    Handler,
    answer,
    ask,
    config_for,
    error_of,
    reset,
    running_gateway,
    stream,
    until,
)

SSE = (b'data: {"n": 1}\n\n', b"data: \xc3", b"\xa9\n\ndata: [DONE]\n\n")
UNAVAILABLE = answer(503, "Ingress request router failed: router_unreachable", "text/plain")
NO_REPLICA = answer(500, "Internal Server Error", "text/plain")
DEAD = "EngineCore encountered an issue. See stack trace (above) for the root cause."  # vLLM's EngineDeadError
DEAD_ERROR = b'{"error": {"message": "%s", "type": "InternalServerError", "param": null, "code": 500}}' % DEAD.encode()
ENGINE_DEAD = answer(500, DEAD_ERROR)


@pytest.mark.parametrize(
    ("failures", "reason"),
    [
        pytest.param([reset], "reset", id="reset before the first byte"),
        pytest.param([stream(broken=True)], "reset", id="reset after the headers"),
        pytest.param([UNAVAILABLE, UNAVAILABLE], "unavailable", id="503 twice"),
        pytest.param([answer(404, SERVE_404, "text/plain; charset=utf-8")], "no_route", id="route not known yet"),
        pytest.param([NO_REPLICA], "no_replica", id="HAProxy without a replica"),
        pytest.param([ENGINE_DEAD], "engine_dead", id="a dead engine"),
        pytest.param([stream(b"data: " + DEAD_ERROR + b"\n\n")], "engine_dead", id="a dead engine's stream"),
    ],
)
async def test_failures_that_are_made_good(
    gateway: Gateway, model: FakeModel, failures: list[Handler], reason: str
) -> None:
    model.script = [*failures, answer()]
    async with gateway.post(ask()) as response:
        assert response.status == 200
        assert await response.read() == ANSWER
    assert len({seen.body for seen in model.seen}) == 1
    assert len({seen.headers["x-request-id"] for seen in model.seen}) == 1
    assert len({seen.peer for seen in model.seen}) == len(model.seen)  # each attempt on a connection of its own
    assert gateway.value("retries_total", model="a", reason=reason) == len(failures)
    assert (await gateway.log_line())["retries"] == len(failures)


async def test_a_model_that_comes_up_later_is_waited_for(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with running_gateway(tmp_path, config_for(f"http://127.0.0.1:{port}/models/a")) as gateway:
        asking = asyncio.create_task(gateway.post(ask()).__aenter__())
        await until(lambda: (gateway.value("retries_total", model="a", reason="connect") or 0) > 2)
        async with FakeModel().running(port):
            assert (await asking).status == 200


@pytest.mark.parametrize(
    ("failure", "status", "code", "reason"),
    [
        pytest.param(UNAVAILABLE, 503, "model_unavailable", "unavailable", id="503"),
        pytest.param(reset, 502, "request_lost", "lost", id="reset"),
        pytest.param(answer(404, SERVE_404, "text/plain"), 503, "model_unavailable", "no_route", id="no route"),
        pytest.param(NO_REPLICA, 503, "model_unavailable", "no_replica", id="no replica"),
        pytest.param(ENGINE_DEAD, 503, "model_unavailable", "engine_dead", id="dead engine"),
        pytest.param(answer(307, b"", location="/x"), 502, "bad_gateway", "invalid", id="redirect"),
    ],
)
async def test_failures_that_last(
    model: FakeModel, tmp_path: Path, failure: Handler, status: int, code: str, reason: str
) -> None:
    model.script = [failure]
    window = 10 if reason == "lost" else 0.1  # which ends at its third loss, however slow the machine is
    async with running_gateway(tmp_path, config_for(model.url, retry={"windowSeconds": window})) as gateway:
        async with gateway.post(ask()) as response:
            assert response.status == status
            error = await error_of(response)
            assert (error["code"], error["type"]) == (code, "server_error")
            assert "127.0.0.1" not in error["message"]
            assert ("retry-after" in response.headers) == (status == 503)
        assert gateway.value("upstream_errors_total", model="a", reason=reason) == 1
        assert gateway.value("requests_total", model="a", route="", api="chat_completions", status="5xx") == 1
    assert (model.retries > 0) == (reason != "invalid")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "model.invalid:8000"], ids=["refused", "name not known"])
async def test_nothing_there(tmp_path: Path, host: str) -> None:
    config = config_for(f"http://{host}/models/a", retry={"windowSeconds": 0.1})
    async with running_gateway(tmp_path, config) as gateway, gateway.post(ask()) as response:
        assert response.status == 503
        assert (await error_of(response))["code"] == "model_unavailable"
        assert gateway.value("upstream_errors_total", model="a", reason="connect") == 1


async def test_what_is_not_http_is_a_bad_gateway(tmp_path: Path) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp ready\r\n\r\n")
        await writer.drain()
        writer.close()

    babbler = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with babbler:
        url = f"http://127.0.0.1:{babbler.sockets[0].getsockname()[1]}"
        async with running_gateway(tmp_path, config_for(url)) as gateway, gateway.post(ask()) as response:
            assert response.status == 502
            assert (await error_of(response))["code"] == "bad_gateway"


async def test_no_connection_in_time(tmp_path: Path) -> None:
    with socket.socket() as deaf:  # its queue is full, so that a connection is never made
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        config = config_for(
            f"http://127.0.0.1:{deaf.getsockname()[1]}",
            timeouts={"connectSeconds": 0.1},
            retry={"windowSeconds": 0},
        )
        async with running_gateway(tmp_path, config) as gateway, gateway.post(ask()) as response:
            assert response.status == 504
            assert (await error_of(response))["code"] == "timeout"
            assert gateway.value("upstream_errors_total", model="a", reason="connect_timeout") == 1
        for filler in fillers:
            filler.close()


async def test_no_first_byte_in_time(model: FakeModel, tmp_path: Path) -> None:
    model.script = [stream(b"", b"late", gate=asyncio.Event())]  # headers come, the body does not
    config = config_for(model.url, timeouts={"firstByteSeconds": 0.2})
    async with running_gateway(tmp_path, config) as gateway, gateway.post(ask()) as response:
        assert response.status == 504
        assert (await error_of(response))["code"] == "timeout"
        await model.cancelled.wait()
        assert gateway.value("upstream_errors_total", model="a", reason="first_byte_timeout") == 1


@pytest.mark.parametrize(
    ("handler", "timeouts", "reason"),
    [
        pytest.param(stream(*SSE[:2], broken=True), {}, "broken_stream", id="reset"),
        pytest.param(stream(*SSE[:2], b"", gate=None), {}, None, id="whole"),
        pytest.param(stream(SSE[0], b"late", gate=asyncio.Event()), {"idleSeconds": 0.2}, "idle_timeout", id="stall"),
    ],
)
async def test_a_stream_that_breaks_ends_without_an_end(
    model: FakeModel, tmp_path: Path, handler: Handler, timeouts: dict[str, float], reason: str | None
) -> None:
    model.script = [handler]
    async with running_gateway(tmp_path, config_for(model.url, timeouts=timeouts)) as gateway:
        async with gateway.post(ask()) as response:
            assert response.status == 200
            assert await response.content.readexactly(len(SSE[0])) == SSE[0]
            if reason is None:
                await response.content.read()
            else:
                with pytest.raises(aiohttp.ClientPayloadError):
                    await response.content.read()
        await until(lambda: bool(gateway.stdout.getvalue()))
        assert (await gateway.log_line())["outcome"] == ("broken" if reason else "2xx")
        if reason:
            assert gateway.value("upstream_errors_total", model="a", reason=reason) == 1
    assert model.retries == 0


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(stream(SSE[0], b"late", gate=asyncio.Event()), id="in a stream"),
        pytest.param(stream(b"", b"late", gate=asyncio.Event()), id="before the first byte"),
    ],
)
async def test_a_client_that_leaves_cancels_the_model(gateway: Gateway, model: FakeModel, handler: Handler) -> None:
    model.script = [handler]
    asking = asyncio.create_task(gateway.post(ask()).__aenter__())
    await until(lambda: bool(model.seen))
    if handler is not None:
        await asyncio.wait([asking], timeout=0.05)
    asking.cancel()
    await gateway.client.close()
    await asyncio.wait_for(model.cancelled.wait(), 20)
    await until(lambda: gateway.value("client_disconnects_total", model="a") == 1)
    assert gateway.value("requests_in_flight", model="a") == 0
    assert (await gateway.log_line())["outcome"] == "disconnect"


async def test_a_client_that_leaves_is_seen_behind_a_large_body(model: FakeModel, tmp_path: Path) -> None:
    model.script = [stream(SSE[0], b"late", gate=asyncio.Event())]
    async with running_gateway(tmp_path, config_for(model.url, limits={"maxBodyBytes": 10**7})) as gateway:
        async with gateway.post(ask(user="x" * 3_000_000)) as response:
            assert await response.content.readany()
            await gateway.client.close()
        await asyncio.wait_for(model.cancelled.wait(), 20)


async def test_a_client_that_leaves_ends_the_attempts(gateway: Gateway, model: FakeModel) -> None:
    model.script = [UNAVAILABLE]
    asking = asyncio.create_task(gateway.post(ask()).__aenter__())
    await until(lambda: model.retries > 2)
    asking.cancel()
    await gateway.client.close()
    await until(lambda: gateway.value("client_disconnects_total", model="a") == 1)
    attempts = len(model.seen)
    await asyncio.sleep(0.1)
    assert len(model.seen) == attempts
