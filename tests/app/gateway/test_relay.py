"""Answers on their way back: what is held, taken out, renamed and counted, whole or broken off or left."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from serve_app.gateway.metering.events import data_of

from .api.samples import SAMPLES
from .metering.samples import in_events, sample
from .support import FakeModel, Gateway, answer, ask, config_for, running_gateway, stream, until

CONTINUOUS = in_events(sample("chat.continuous.txt"))
PLAIN = in_events(sample("chat.plain.txt"))
ERROR = b'data: {"error": {"message": "No.", "type": "InternalServerError", "param": null, "code": 500}}\n\n'
UNNAMED = b',"system_fingerprint":"vllm-0.29.0-aaadc1db"'
PRICE = {"promptPerMillion": 1_000_000, "completionPerMillion": 1_000_000}


async def read_to_the_break(response: aiohttp.ClientResponse) -> bytes:
    received = b""
    try:
        async for piece in response.content.iter_any():
            received += piece
    except aiohttp.ClientPayloadError:
        return received
    raise AssertionError("it came to its end")


@pytest.mark.parametrize("silent", [False, True], ids=["reset", "stall"])
async def test_events_that_were_held_back_come_before_the_break(model: FakeModel, tmp_path: Path, silent: bool) -> None:
    """The chunk that finishes waits for the one after it, which does not come."""
    handler = stream(*CONTINUOUS[:5], *([b""] if silent else []), broken=not silent)
    if silent:
        gate = asyncio.Event()
        handler = stream(b"".join(CONTINUOUS[:5]), b"late", gate=gate)
    model.script = [handler]
    config = config_for(model.url, timeouts={"idleSeconds": 0.3})
    async with running_gateway(tmp_path, config) as gateway, gateway.post(ask(stream=True)) as response:
        received = await read_to_the_break(response)
    assert received == b"".join(PLAIN[:5]).replace(UNNAMED, b"")


async def test_a_stream_that_is_left_is_counted_to_its_last_chunk(model: FakeModel, tmp_path: Path) -> None:
    """Whatever the client asked for: the prompt and what the engine has made are known, and charged."""
    for options in (None, {"include_usage": True}, {"include_usage": True, "continuous_usage_stats": True}):
        model.script = [stream(b"".join(CONTINUOUS[:4]), b"late", gate=asyncio.Event())]
        config = config_for(model.url)
        config["models"]["a"]["price"] = PRICE
        limits = {"monthlyTokens": 1000}
        async with running_gateway(tmp_path, config, policy=limits) as gateway:
            more: dict[str, Any] = {} if options is None else {"stream_options": options}
            async with gateway.post(ask(stream=True, **more)) as response:
                await response.content.readuntil(b"\n\n")
            line = await gateway.log_line()
            assert (line["outcome"], line["prompt_tokens"], line["completion_tokens"]) == ("disconnect", 6, 3)
            assert (line["partial"], line["cost"]) == (True, 9)
            assert gateway.value("usage_unknown_total", model="a", reason="disconnect") == 0
            async with gateway.get("/v1/limits") as response:
                (limit,) = (await response.json())["limits"]
            assert limit["monthly_tokens"]["used"] == 9
        sent = json.loads(model.seen[-1].body)["stream_options"]
        assert sent == {"include_usage": True, "continuous_usage_stats": True}


@pytest.mark.parametrize(("path", "prompt"), [("/v1/messages", 6), ("/v1/responses", 0)])
async def test_streams_that_report_at_their_end_are_counted_by_their_deltas(
    model: FakeModel, tmp_path: Path, path: str, prompt: int
) -> None:
    """The prompt of a response is not reported before; it is charged as it was estimated."""
    *events, _, _ = in_events(sample("messages.txt" if prompt else "responses.txt"))
    model.script = [stream(b"".join(events), b"late", gate=asyncio.Event())]
    body = ask(stream=True, max_tokens=9, input="hi")
    async with running_gateway(tmp_path, config_for(model.url), policy={"monthlyTokens": 1000}) as gateway:
        async with gateway.post(body, path=path) as response:
            await response.content.readuntil(b"\n\n")
        line = await gateway.log_line()
        async with gateway.get("/v1/limits") as response:
            (limit,) = (await response.json())["limits"]
    deltas = sum(b"delta" in event.splitlines()[0] for event in events)
    assert deltas > 1
    assert (line["prompt_tokens"], line["completion_tokens"], line["partial"]) == (prompt, deltas, True)
    estimated = -(-len(json.dumps(body)) // 4)
    assert limit["monthly_tokens"]["used"] == (prompt or estimated) + deltas


async def test_providers_are_not_asked_for_usage_in_chunks(model: FakeModel, tmp_path: Path) -> None:
    config = config_for(model.url)
    config["models"]["a"]["external"] = True
    model.script = [stream(*in_events(sample("chat.asked.txt")))]
    async with running_gateway(tmp_path, config) as gateway, gateway.post(ask(stream=True)) as response:
        assert await response.read() == sample("chat.plain.txt")
    assert json.loads(model.seen[0].body)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_an_error_inside_a_stream(gateway: Gateway, model: FakeModel, path: str) -> None:
    messages = path == "/v1/messages"
    begun = in_events(sample("messages.txt"))[:2] if messages else CONTINUOUS[:2]
    error = b"event: error\n" + ERROR.replace(b'{"error"', b'{"type":"error","error"') if messages else ERROR
    model.script = [stream(*begun, error)]
    async with gateway.post(ask(stream=True, max_tokens=9), path=path) as response:
        assert response.status == 200
        *before, last = in_events(await response.read())
    assert before == (begun if messages else PLAIN[:2])
    content = json.loads(data_of(last))["error"]
    assert content["type"] == ("api_error" if messages else "server_error")
    assert content.get("code") is None
    line = await gateway.log_line()
    assert (line["outcome"], line["status"], line["prompt_tokens"]) == ("5xx", 500, 6)
    await until(lambda: gateway.value("requests_in_flight", model="a") == 0)


def named(url: str, **route: Any) -> dict[str, Any]:
    """A private model behind a route."""
    entry = {"url": url, "private": True, "upstreamModel": "sparrow"}
    return config_for(url, models={"a": entry}, routes={"chat": {"backends": {"a": {}}} | route})


ANSWERS: dict[str, tuple[str, str, bool]] = {
    "whole": ("/v1/chat/completions", "chat.json", False),
    "stream": ("/v1/chat/completions", "chat.continuous.txt", True),
    "whole message": ("/v1/messages", "messages.json", False),
    "message": ("/v1/messages", "messages.txt", True),
    "whole response": ("/v1/responses", "responses.json", False),
    "response": ("/v1/responses", "responses.txt", True),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_answers_under_the_routes_name(model: FakeModel, tmp_path: Path, case: str) -> None:
    path, name, streams = ANSWERS[case]
    content_type = "text/event-stream" if streams else "application/json"
    model.script = [answer(body=sample(name), content_type=content_type)]
    expected = sample(name.replace("continuous", "plain"))
    body: dict[str, Any] = ask("chat", stream=True) if streams else ask("chat")
    for as_route in (True, False):
        route = {"answerModel": "route"} if as_route else {}
        async with (
            running_gateway(tmp_path, named(model.url, **route)) as gateway,
            gateway.post(body | {"input": "hi", "max_tokens": 9}, path=path) as response,
        ):
            received = await response.read()
        assert received == (expected.replace(b'"model":"sparrow"', b'"model":"chat"') if as_route else expected)
        assert (b"sparrow" in received) is not as_route


async def test_errors_under_the_routes_name(model: FakeModel, tmp_path: Path) -> None:
    sample = SAMPLES["chat image"]
    model.script = [answer(sample.status, sample.body)]
    config = named(model.url, answerModel="route")
    async with running_gateway(tmp_path, config) as gateway, gateway.post(ask("chat")) as response:
        assert (await response.json())["error"]["message"] == "chat is not a multimodal model"


async def test_vectors_in_bytes_under_the_routes_name(model: FakeModel, tmp_path: Path) -> None:
    metadata = '{"model": "sparrow", "usage": {"prompt_tokens": 3}}'
    model.script = [answer(body=b'\x00"model":"sparrow"', content_type="application/octet-stream", metadata=metadata)]
    config = named(model.url, answerModel="route")
    config["models"]["a"]["task"] = "embed"
    async with running_gateway(tmp_path, config) as gateway:
        async with gateway.post({"model": "chat", "input": "x"}, path="/v1/embeddings") as response:
            assert response.headers["metadata"] == metadata.replace("sparrow", "chat")
            assert await response.read() == b'\x00"model":"sparrow"'
        assert (await gateway.log_line())["prompt_tokens"] == 3


async def test_a_stored_response_under_the_routes_name(model: FakeModel, tmp_path: Path) -> None:
    body = sample("responses.json")
    model.script = [answer(body=body)]
    async with running_gateway(tmp_path, named(model.url, answerModel="route")) as gateway:
        async with gateway.post({"model": "chat", "input": "hi"}, path="/v1/responses") as response:
            made = await response.json()
        async with gateway.get(f"/v1/responses/{made['id']}") as response:
            assert await response.read() == body.replace(b'"model":"sparrow"', b'"model":"chat"')
