"""A RAG pipeline behind the gateway, as the chart's entry has it: its streams, sources and tokens come through."""

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest
from aiohttp import web
from openai.types.chat import ChatCompletionMessageParam

from ..pipelines.support import NOT_FOUND, TEXT, Stage, chunks, found, sse, stage
from .support import KEY, error_of, running_gateway, until

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "When do owls hunt?"}]


def config(pipeline: Stage) -> dict[str, Any]:
    """The chart's entry of a pipeline, see templates/gateway/_config-pipelines.tpl."""
    entry = {
        "url": pipeline.url,
        "apis": ["chat_completions", "responses"],
        "headers": {"x-request-disconnect-disabled": "?0"},
        "price": {"promptPerMillion": 1_000_000, "completionPerMillion": 0},
    }
    return {"models": {"docs": entry}, "retry": {"windowSeconds": 30}}


async def test_chat_and_responses(tmp_path: Path) -> None:
    async with stage() as pipeline, running_gateway(tmp_path, config(pipeline)) as gateway:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client:
            assert [card.id async for card in client.models.list()] == ["docs"]
            completion = await client.chat.completions.create(model="docs", messages=ASK)
            assert completion.choices[0].message.annotations
            assert len((completion.model_extra or {})["sources"]) == 2
            stream = await client.chat.completions.create(model="docs", messages=ASK, stream=True)
            got = [chunk async for chunk in stream]
            assert "".join(chunk.choices[0].delta.content or "" for chunk in got) == TEXT
            assert len((got[0].model_extra or {})["sources"]) == 2
            assert all(chunk.usage is None for chunk in got), "nobody asked for it"
            response = await client.responses.create(model="docs", input="When do owls hunt?")
            assert response.output_text == TEXT
            async with client.responses.stream(model="docs", input="When do owls hunt?") as events:
                async for _ in events:
                    pass
                assert (await events.get_final_response()).output_text == TEXT
        await until(lambda: gateway.stdout.getvalue().count(b"\n") == 5)
        counted = [await gateway.log_line(number) for number in range(1, 5)]  # after GET /v1/models
    assert [(line["prompt_tokens"], line["completion_tokens"]) for line in counted] == [(24, 6)] * 4
    assert {line["model"] for line in counted} == {"docs"}
    assert all(line["cost"] == 24 for line in counted)


async def test_nothing_found_costs_the_search(tmp_path: Path) -> None:
    async with stage(finds=found()) as pipeline, running_gateway(tmp_path, config(pipeline)) as gateway:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client:
            stream = await client.chat.completions.create(model="docs", messages=ASK, stream=True)
            assert NOT_FOUND in "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        line = await gateway.log_line()
    assert (line["prompt_tokens"], line["completion_tokens"]) == (4, 0)


@pytest.mark.parametrize("streamed", [False, True])
async def test_store_that_is_away(tmp_path: Path, streamed: bool) -> None:
    """Its 503 is told as it is, with when to come again."""
    body = {"model": "docs", "messages": ASK, "stream": streamed}
    async with (
        stage(data={"url": "http://127.0.0.1:9"}) as pipeline,
        running_gateway(tmp_path, config(pipeline)) as gateway,
        gateway.post(body) as response,
    ):
        assert response.status == 503
        assert response.headers["retry-after"] == "5"
        assert (await error_of(response))["code"] == "store_unavailable"


async def test_a_fallback_answers_for_a_store_that_is_away(tmp_path: Path) -> None:
    async with stage(data={"url": "http://127.0.0.1:9"}) as away, stage() as other:
        entries = config(away)
        entries["models"]["other"] = config(other)["models"]["docs"]
        entries["routes"] = {"ask": {"backends": {"docs": {}}, "fallback": {"other": {}}}}
        body = {"model": "ask", "messages": ASK}
        async with running_gateway(tmp_path, entries) as gateway, gateway.post(body) as response:
            assert response.status == 200
            assert (await response.json())["model"] == "docs", "the name that both pipelines of this test have"
        assert len(other.gateway.asked) == 1


async def test_client_that_leaves_ends_the_generation(tmp_path: Path) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        while True:
            await response.write(sse(chunks("Owls ")[1:2], done=False))
            await asyncio.sleep(0.01)

    async with stage(answers=endless) as pipeline, running_gateway(tmp_path, config(pipeline)) as gateway:
        async with gateway.post({"model": "docs", "messages": ASK, "stream": True}) as response:
            await response.content.readany()
        await asyncio.wait_for(pipeline.gateway.left.wait(), 5)
