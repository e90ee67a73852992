"""What a client of a RAG pipeline gets where a part is away, refuses, sleeps or breaks; what ends where it leaves."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from aiohttp import web
from openai.types.chat import ChatCompletionMessageParam

from serve_app.pipelines.errors import ApiError
from serve_app.pipelines.service import ServiceClient
from serve_app.settings.pipeline import Service

from ..support import TEXT, Backend, Vectors, chunks, completion, error, sse, stage

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "When do owls hunt?"}]


async def test_store_that_is_away() -> None:
    async with stage(data={"url": "http://127.0.0.1:9"}) as on:
        with pytest.raises(openai.APIStatusError) as caught:
            await on.client.chat.completions.create(model="docs", messages=ASK)
    assert caught.value.status_code == 503
    assert caught.value.code == "store_unavailable"
    assert caught.value.response.headers["retry-after"] == "5"
    assert on.gateway.asked == []


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("status", "told"), [(400, 400), (429, 429), (503, 503), (403, 502), (404, 502)])
async def test_errors_of_the_generating_model(status: int, told: int, streamed: bool) -> None:
    """What is wrong with the pipeline itself is nothing that the client did."""
    async with stage(answers=error(status, "Said why.", retry_after="7")) as on:
        with pytest.raises(openai.APIStatusError) as caught:
            await on.client.chat.completions.create(model="docs", messages=ASK, stream=streamed)
    assert caught.value.status_code == told
    assert "Said why." in caught.value.message
    assert caught.value.response.headers.get("retry-after") == ("7" if told != 502 else None)


async def test_stream_that_breaks_ends_with_an_error() -> None:
    async def breaks(request: web.Request) -> web.StreamResponse:
        return web.Response(body=sse(chunks("Owls")[:2], done=False), content_type="text/event-stream")

    async with stage(answers=breaks) as on:
        stream = await on.client.chat.completions.create(model="docs", messages=ASK, stream=True)
        with pytest.raises(openai.APIError, match="ended before its end"):
            async for _ in stream:
                pass


async def test_embedding_model_that_sleeps_too_long() -> None:
    async with stage(vectors=Vectors(asyncio.Event()), wait_seconds=0.05) as on:
        with pytest.raises(openai.APIStatusError) as caught:
            await on.client.chat.completions.create(model="docs", messages=ASK)
    assert caught.value.status_code == 503
    assert caught.value.code == "retrieval_timeout"


async def test_embedding_model_that_wakes_in_time() -> None:
    awake = asyncio.Event()
    async with stage(vectors=Vectors(awake)) as on:
        asking = asyncio.create_task(on.client.chat.completions.create(model="docs", messages=ASK))
        await asyncio.sleep(0.1)
        awake.set()
        assert (await asking).choices[0].message.content == TEXT


@pytest.mark.parametrize("streamed", [False, True])
async def test_client_that_leaves_ends_the_generation(streamed: bool) -> None:
    begun = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        while True:
            begun.set()
            await response.write(sse(chunks("Owls ")[1:2], done=False))
            await asyncio.sleep(0.01)

    async def never(request: web.Request) -> web.StreamResponse:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    async with stage(answers=endless if streamed else never) as on:
        body = {"model": "docs", "messages": ASK, "stream": streamed}
        async with httpx.AsyncClient(base_url=on.url) as client:
            asking = asyncio.create_task(_read(client, body))
            await asyncio.wait_for(begun.wait(), 5)
            await asyncio.sleep(0.05)
            asking.cancel()
            await asyncio.wait([asking])
        await asyncio.wait_for(on.gateway.left.wait(), 5)


async def _read(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        async for _ in answer.aiter_bytes():
            pass


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([], "messages is no list of messages"),
        ([{"role": "system", "content": "Be brief."}], "ask a question"),
        ([{"role": "user", "content": " "}], "ask a question"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}], "ask a question"),
    ],
)
async def test_request_without_a_question(messages: Any, says: str) -> None:
    async with stage() as on:
        with pytest.raises(openai.BadRequestError, match=says):
            await on.client.chat.completions.create(model="docs", messages=messages)
    assert on.vectors.asked == []


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_body_that_is_no_object(body: bytes) -> None:
    async with stage() as on, httpx.AsyncClient(base_url=on.url) as client:
        answer = await client.post("/v1/chat/completions", content=body)
    assert answer.status_code == 400
    assert json.loads(answer.text)["error"]["type"] == "invalid_request_error"


async def test_the_token_is_read_anew_for_each_request(tmp_path: Path) -> None:
    """A Secret's new text arrives in its file while the replica runs."""
    token, gateway = tmp_path / "token", Backend(completion())
    async with gateway.served() as url:
        client = ServiceClient(
            Service(url=url, token_file=str(token)), "The gateway", code="gateway_away", caller="pipeline:docs"
        )
        for text in ("first", "second"):
            token.write_text(f"{text}\n")
            async with client.post("/v1/chat/completions", {}, {}):
                pass
        token.unlink()
        with pytest.raises(ApiError, match="not there yet"):
            async with client.post("/v1/chat/completions", {}, {}):
                pass
        await client.close()
    assert {headers["x-gateway-key"] for headers in gateway.headers} == {"pipeline:docs"}
    assert [headers["authorization"] for headers in gateway.headers] == ["Bearer first", "Bearer second"]
