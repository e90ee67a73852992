import asyncio
import json
from pathlib import Path

import pytest
from yarl import URL

from .support import (
    ANSWER,
    CHAT,
    KEY,
    FakeModel,
    Gateway,
    answer,
    ask,
    config_for,
    error_of,
    running_gateway,
    stream,
    until,
)

SSE = (b'data: {"n": 1}\n\n', b"data: \xc3", b"\xa9\n\ndata: [DONE]\n\n")


@pytest.mark.parametrize("path", [CHAT, "/v1/completions"])
async def test_bytes_pass_unchanged_in_both_directions(gateway: Gateway, model: FakeModel, path: str) -> None:
    sent = b'{ "model" : "a", "messages": [], "seed": 1e2, "x": "\\u00e9" }'
    async with gateway.post(sent, path=path) as response:
        assert response.status == 200
        assert await response.read() == ANSWER
        assert response.headers["content-type"] == "application/json"
        assert response.headers["content-length"] == str(len(ANSWER))
    assert model.seen[0].path == "/models/a" + path
    assert model.seen[0].body == sent


async def test_a_large_body_arrives_whole(model: FakeModel, tmp_path: Path) -> None:
    sent = json.dumps(ask(padding="x" * 3_000_000)).encode()
    model.script = [answer(body=b"y" * 3_000_000)]
    config = config_for(model.url, limits={"maxBodyBytes": 4_000_000})
    async with running_gateway(tmp_path, config) as gateway, gateway.post(sent) as response:
        assert await response.read() == b"y" * 3_000_000
    assert model.seen[0].body == sent


async def test_a_stream_passes_as_it_arrives(gateway: Gateway, model: FakeModel) -> None:
    gate = asyncio.Event()
    model.script = [stream(*SSE, gate=gate)]
    async with gateway.post(ask(stream=True)) as response:
        first = await response.content.readany()
        assert first == SSE[0]  # while the model still holds back the rest
        gate.set()
        assert first + await response.content.read() == b"".join(SSE)
        assert response.headers["content-type"] == "text/event-stream"


@pytest.mark.parametrize(("rest", "status"), [(b'"}', 200), (b"", 408)], ids=["late", "never"])
async def test_a_body_that_comes_later_than_its_head(
    model: FakeModel, tmp_path: Path, rest: bytes, status: int
) -> None:
    head = f"POST {CHAT} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n"
    async with running_gateway(tmp_path, config_for(model.url, limits={"bodySeconds": 0.5})) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(gateway.url).port)
        writer.write(f"{head}content-length: 14\r\n\r\n".encode())
        for piece in (b'{"model": ', b'"a', rest):
            await asyncio.sleep(0.05)
            writer.write(piece)
        async with asyncio.timeout(5):
            assert (await reader.readline()).split()[1] == b"%d" % status
        writer.close()


async def test_an_answer_without_a_body(gateway: Gateway, model: FakeModel) -> None:
    model.script = [answer(200, b"")]
    async with gateway.post(ask()) as response:
        assert (response.status, await response.read()) == (200, b"")


async def test_a_route_rewrites_the_model_and_nothing_else(gateway: Gateway, model: FakeModel) -> None:
    request = ask("chat", temperature=0.1, stop=["é"], n=1, logit_bias={"1": -100})
    async with gateway.post(request) as response:
        assert response.status == 200
    assert json.loads(model.seen[0].body) == request | {"model": "a"}
    line = await gateway.log_line()
    assert (line["model"], line["route"]) == ("a", "chat")


async def test_headers_that_pass(gateway: Gateway, model: FakeModel) -> None:
    headers = {
        "x-api-key": "secret",
        "cookie": "secret",
        "x-request-id": "mine-1",
        "traceparent": "00-1-2-01",
        "x-request-disconnect-disabled": "?1",
        "connection": "keep-alive, x-hop",
        "x-hop": "1",
    }
    model.script = [answer(metadata="kept", x_model="hidden", server="hidden", keep_alive="timeout=5")]
    async with gateway.post(ask(), headers=headers) as response:
        assert response.headers["x-request-id"] == "mine-1"
        assert response.headers["metadata"] == "kept"
        assert not {"x-model", "server", "keep-alive"} & set(response.headers)
        assert len(response.headers.getall("date")) == 1
    got = model.seen[0].headers
    assert (got["x-request-id"], got["traceparent"], got["content-type"]) == ("mine-1", "00-1-2-01", "application/json")
    assert not {"authorization", "x-api-key", "cookie", "x-hop"} & set(got)
    assert got["x-request-disconnect-disabled"] == "?1", "vLLM is to see itself that a client left"
    assert "secret" not in str(got)


async def test_the_connection_to_a_model_is_reused(gateway: Gateway, model: FakeModel) -> None:
    for _ in range(3):
        async with gateway.post(ask()) as response:
            await response.read()
    assert len({seen.peer for seen in model.seen}) == 1


async def test_the_model_refuses_in_its_own_words(gateway: Gateway, model: FakeModel) -> None:
    theirs = b'{"error": {"message": "too long", "type": "invalid_request_error", "param": "messages", "code": null}}'
    model.script = [answer(400, theirs)]
    async with gateway.post(ask()) as response:
        assert (response.status, await response.read()) == (400, theirs)


async def test_the_model_refuses_in_another_shape(gateway: Gateway, model: FakeModel) -> None:
    model.script = [answer(429, b'{"detail": "slow down"}', retry_after="7")]
    async with gateway.post(ask()) as response:
        assert response.status == 429
        assert response.headers["retry-after"] == "7"
        error = await error_of(response)
        assert (error["message"], error["type"]) == ("slow down", "rate_limit_error")
    assert model.retries == 0


async def test_time_to_first_byte_is_counted(gateway: Gateway, model: FakeModel) -> None:
    async with gateway.post(ask("chat")) as response:
        await response.read()
    labels = {"model": "a", "route": "chat"}
    await until(lambda: gateway.value("time_to_first_byte_seconds_count", **labels) == 1)
    assert gateway.value("request_duration_seconds_count", **labels) == 1
    assert gateway.value("requests_total", **labels, api="chat_completions", status="2xx") == 1
