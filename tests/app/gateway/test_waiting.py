"""What clients see while they wait: for a slot, or for a model that wakes."""

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from aiohttp import web

from .support import KEY, FakeModel, answer, ask, config_for, running_gateway, stream, until

EVENT = (
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"a",'
    b'"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\n'
)
SSE = (EVENT.replace(b'"stop"', b"null"), b"data: [DONE]\n\n")
KEEP_ALIVE = {"afterSeconds": 0.05, "everySeconds": 0.05}


def slow(handler: Any, seconds: float = 0.3) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await handler(request)

    return handle


def waiting(url: str, **more: Any) -> dict[str, Any]:
    return config_for(url, keepAlive=KEEP_ALIVE, **more)


async def test_a_stream_is_kept_alive_until_the_model_answers(model: FakeModel, tmp_path: Path) -> None:
    model.script = [slow(stream(*SSE))]
    async with running_gateway(tmp_path, waiting(model.url)) as gateway:
        async with gateway.post(ask(stream=True)) as response:
            assert response.status == 200
            request_id = response.headers["x-request-id"]
            assert response.headers["content-type"].startswith("text/event-stream")
            first = await response.content.readany()
            text = first + await response.content.read()
        assert first.startswith(b": ")
        assert text.count(b": waiting for the model\n\n") >= 3
        assert text.replace(b": waiting for the model\n\n", b"") == b"".join(SSE)
        line = await gateway.log_line()
    assert line["request_id"] == request_id
    assert line["ttfb_ms"] > 250, "a comment is no answer"


async def test_no_comment_is_sent_once_the_answer_has_begun(model: FakeModel, tmp_path: Path) -> None:
    gate = asyncio.Event()
    model.script = [slow(stream(*SSE, gate=gate), 0.15)]
    async with running_gateway(tmp_path, waiting(model.url)) as gateway, gateway.post(ask(stream=True)) as response:
        before = await response.content.readuntil(SSE[0])
        await asyncio.sleep(0.3)
        gate.set()
        after = await response.content.read()
    assert before.startswith(b": ")
    assert after == b"".join(SSE[1:])


async def test_openais_client_reads_past_the_comments(model: FakeModel, tmp_path: Path) -> None:
    model.script = [slow(stream(*SSE))]
    async with (
        running_gateway(tmp_path, waiting(model.url)) as gateway,
        openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client,
    ):
        chunks = [chunk async for chunk in await client.chat.completions.create(**ask(stream=True))]
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["hi"]


async def test_a_failure_after_the_headers_is_told_as_an_event(model: FakeModel, tmp_path: Path) -> None:
    model.script = [slow(answer(400, b'{"error": {"message": "Too long.", "type": "BadRequestError"}}'))]
    async with running_gateway(tmp_path, waiting(model.url)) as gateway:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client:
            with pytest.raises(openai.APIError, match="Too long"):
                async for _ in await client.chat.completions.create(**ask(stream=True)):
                    pass
        assert gateway.value("requests_total", model="a", route="", api="chat_completions", status="4xx") == 1


async def test_a_model_that_does_not_wake_is_told_as_an_event(model: FakeModel, tmp_path: Path) -> None:
    model.script = [answer(503, b"")]
    async with running_gateway(tmp_path, waiting(model.url, retry={"windowSeconds": 0.2})) as gateway:
        async with gateway.post(ask(stream=True)) as response:
            text = await response.text()
        assert response.status == 200
        assert '"code":"model_unavailable"' in text
        assert gateway.value("requests_total", model="a", route="", api="chat_completions", status="5xx") == 1


async def test_what_is_no_stream_waits_for_its_status(model: FakeModel, tmp_path: Path) -> None:
    model.script = [slow(answer(404))]
    async with running_gateway(tmp_path, waiting(model.url)) as gateway, gateway.post(ask()) as response:
        assert response.status == 404


async def test_a_model_that_sleeps_is_waited_for_longer_than_one_that_is_lost(model: FakeModel, tmp_path: Path) -> None:
    config = config_for(model.url, retry={"windowSeconds": 0.1})
    config["models"]["a"]["scalesToZero"] = True
    model.script = [*[answer(503, b"")] * 40, answer()]  # pauses of up to 10 ms each
    async with running_gateway(tmp_path, config) as gateway, gateway.post(ask()) as response:
        assert response.status == 200
    assert model.retries == 40


def narrow(url: str, **queue: float) -> dict[str, Any]:
    """A gateway that asks the model one thing at a time."""
    config = config_for(url, queue={"maxRequests": 1, "maxSeconds": 20} | queue)
    config["models"]["a"]["maxConcurrentRequests"] = 1
    return config


async def test_requests_wait_for_their_turn(model: FakeModel, tmp_path: Path) -> None:
    model.script = [slow(answer(), 0.1)]
    async with running_gateway(tmp_path, narrow(model.url, maxRequests=10)) as gateway:

        async def one() -> int:
            async with gateway.post(ask()) as response:
                return response.status

        assert await asyncio.gather(*(one() for _ in range(4))) == [200] * 4
        assert gateway.value("queue_length", model="a") == 0
        assert gateway.value("queue_seconds_count", model="a") == 3
        assert gateway.value("requests_in_flight", model="a") == 0


async def test_a_full_queue_is_told_at_once(model: FakeModel, tmp_path: Path) -> None:
    gate = asyncio.Event()
    model.script = [stream(*SSE, gate=gate)]
    async with running_gateway(tmp_path, narrow(model.url)) as gateway:
        async with gateway.post(ask(stream=True)) as first:
            await first.content.readany()
            second = asyncio.create_task(gateway.post(ask()).__aenter__())
            await until(lambda: gateway.value("queue_length", model="a") == 1)
            async with gateway.post(ask()) as refused:
                assert refused.status == 503
                assert refused.headers["retry-after"] == "5"
                assert (await refused.json())["error"]["code"] == "model_overloaded"
            gate.set()
            await first.content.read()
            assert (await second).status == 200
        assert gateway.value("queue_rejections_total", model="a", reason="full") == 1


async def test_one_who_leaves_the_queue_is_never_sent_to_the_model(model: FakeModel, tmp_path: Path) -> None:
    gate = asyncio.Event()
    model.script = [stream(*SSE, gate=gate)]
    async with running_gateway(tmp_path, narrow(model.url)) as gateway:
        async with gateway.post(ask(stream=True)) as first:
            await first.content.readany()
            second = asyncio.create_task(gateway.post(ask()).__aenter__())
            await until(lambda: gateway.value("queue_length", model="a") == 1)
            second.cancel()
            await until(lambda: gateway.value("queue_length", model="a") == 0)
            gate.set()
            await first.content.read()
        assert len(model.seen) == 1


async def test_a_full_model_falls_back(model: FakeModel, tmp_path: Path) -> None:
    gate = asyncio.Event()
    model.script = [stream(*SSE, gate=gate), answer()]
    config = narrow(model.url, maxRequests=0)
    config["routes"] = {"safe": {"backends": {"a": {}}, "fallback": {"b": {}}}}
    async with running_gateway(tmp_path, config) as gateway:
        async with gateway.post(ask(stream=True)) as first:
            await first.content.readany()
            async with gateway.post(ask("safe")) as second:
                assert second.status == 200
            gate.set()
        assert model.seen[1].path.startswith("/models/b/")
        labels = {"route": "safe", "model": "a", "to": "b", "reason": "model_overloaded"}
        assert gateway.value("fallbacks_total", **labels) == 1


async def test_limits_of_a_key_and_their_headers(tmp_path: Path, model: FakeModel) -> None:
    async with running_gateway(tmp_path, config_for(model.url), policy={"requestsPerMinute": 2}) as gateway:
        statuses, remaining = [], []
        for _ in range(3):
            async with gateway.post(ask()) as response:
                statuses.append(response.status)
                remaining.append(response.headers["x-ratelimit-remaining-requests"])
        assert (statuses, remaining) == ([200, 200, 429], ["1", "0", "0"])
        assert int(response.headers["retry-after"]) >= 1
        assert len(model.seen) == 2
        async with gateway.get("/v1/limits") as limits:
            shown = await limits.json()
        assert shown["limits"][0]["requests_per_minute"]["remaining"] == 0


async def test_hanging_up_is_no_way_around_a_limit(model: FakeModel, tmp_path: Path) -> None:
    gate = asyncio.Event()
    pieces = [SSE[0]] * 5
    model.script = [stream(*pieces), stream(SSE[0], b"late", gate=gate)]
    async with running_gateway(tmp_path, config_for(model.url), policy={"tokensPerMinute": 100}) as gateway:
        async with gateway.post(ask(stream=True)) as response:
            assert response.headers["x-ratelimit-remaining-tokens"] == "100"
            await response.read()
        leaving = gateway.post(ask(stream=True))
        response = await leaving.__aenter__()
        await response.content.readany()
        response.close()
        await until(lambda: gateway.value("client_disconnects_total", model="a") == 1)
        async with gateway.get("/v1/limits") as limits:
            shown = (await limits.json())["limits"][0]["tokens_per_minute"]
        prompts = 2 * -(-len(json.dumps(ask(stream=True))) // 4)
        pieces = 100 - shown["remaining"] - prompts
        assert 2 <= pieces <= 7, "no tokens were told: a stream counts with its prompt's bytes and its pieces"
