"""Where an answer ends though the model would go on, and what is refused."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from openai import APIStatusError

from tests.app.pipelines.support import Backend, chunks, error, sse

from .support import scripted, stage

SEARCH: dict[str, Any] = {"tools": {"pipelines": {"docs": {"description": "The handbook."}}}}
FOR_EVER = scripted([("search_docs", {"query": "leave"})])


async def test_steps() -> None:
    async with stage(FOR_EVER, limits={"steps": 3}, **SEARCH) as on:
        answer = await on.ask()
    assert (answer["choices"][0]["finish_reason"], answer["limit"]) == ("length", "steps")
    assert len(answer["steps"]) == len(on.looked_for) == len(on.gateway.asked) == 3
    assert answer["usage"]["total_tokens"] == 3 * 26


async def test_tokens() -> None:
    async with stage(FOR_EVER, limits={"tokens": 50}, **SEARCH) as on:
        answer = await on.ask()
    assert (answer["limit"], len(on.gateway.asked)) == ("tokens", 2)


async def test_seconds_end_the_models_work_too() -> None:
    async def never(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(600)
        raise AssertionError

    async with stage(answers=never, limits={"seconds": 1.0}) as on:
        response = await on.client.responses.create(model="helper", input="Hello")
        await asyncio.wait_for(on.gateway.left.wait(), 10)
    assert response.status == "incomplete"
    assert response.incomplete_details
    assert response.incomplete_details.model_dump() == {"reason": "max_output_tokens", "limit": "seconds"}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_ends_the_generation(stream: bool) -> None:
    async def for_ever(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        while True:
            await response.write(sse(chunks("Hoo ")[:2], done=False))
            await asyncio.sleep(0.05)

    async with stage(answers=for_ever) as on:
        asking = asyncio.create_task(on.ask(stream=stream) if not stream else first(on))
        async with asyncio.timeout(60):
            while not on.gateway.asked:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            if stream:
                await asking
            asking.cancel()
            await on.gateway.left.wait()


async def first(on: Any) -> None:
    """Reads the beginning of a stream and leaves."""
    stream = await on.client.chat.completions.create(
        model="helper", messages=[{"role": "user", "content": "Hoo?"}], stream=True
    )
    async for _ in stream:
        break
    await stream.close()


@pytest.mark.parametrize(
    ("status", "told", "message"),
    [
        (400, 400, "too long"),
        (404, 502, "The agent's model refused the pipeline: too long"),
        (429, 429, "too long"),
        (503, 503, "too long"),
    ],
)
async def test_what_the_gateway_refuses(status: int, told: int, message: str) -> None:
    async with stage(answers=error(status, "too long", retry_after="7")) as on:
        with pytest.raises(APIStatusError) as caught:
            await on.ask()
    assert (caught.value.status_code, said(caught.value)) == (told, message)
    assert caught.value.response.headers["x-pipeline-answered"] == "1"
    if told != 502:
        assert caught.value.response.headers.get("retry-after") == "7"


def said(error: APIStatusError) -> str:
    """The message of an error, without what the client puts before it."""
    return error.message.partition(" - ")[2]


async def test_a_stream_that_breaks_off() -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(body=sse(chunks("Half")[:2], done=False), content_type="text/event-stream")

    async with stage(answers=broken) as on:
        with pytest.raises(APIStatusError) as caught:
            await on.ask()
        assert caught.value.status_code == 503
        with pytest.raises(Exception, match="broke off"):
            async for _ in await on.client.chat.completions.create(
                model="helper", messages=[{"role": "user", "content": "Hello"}], stream=True
            ):
                pass


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"messages": []}, "messages is no list of messages"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "messages has no text of the user at its end"),
        ({"messages": [{"role": "tool", "content": "Hi", "tool_call_id": "a"}]}, "messages.0 has the role 'tool'"),
        ({"messages": [{"role": "user", "content": [{"type": "file"}]}]}, "has a part of type 'file'"),
        (
            {"tools": [{"type": "function", "function": {"name": "a"}}]},
            "tools is set, but an agent's tools are",
        ),
        ({"n": 2}, "n is 2, but an agent gives one answer"),
    ],
)
async def test_refusals(changed: dict[str, Any], says: str) -> None:
    async with stage() as on:
        with pytest.raises(APIStatusError, match="400") as caught:
            await on.ask(**changed)
        assert says in caught.value.message
        assert not on.gateway.asked


async def test_branches() -> None:
    branches = {
        "orders": {"when": "orders", "model": "big", "instructions": "You sell.", "tools": []},
        "staff": {"when": "leave and pay"},
    }
    said = iter(['{"branch": "orders"}', "staff.", "I do not know"])

    def script(body: dict[str, Any]) -> str:
        return "Yes." if body.get("stream") else next(said)

    async with stage(script, classify="small", branches=branches, instructions="Help.", **SEARCH) as on:
        answers = [await on.ask("Where is it?") for _ in range(3)]
    assert [answer.get("branch") for answer in answers] == ["orders", "staff", None]
    classified, asked, _, staff, _, other = on.gateway.asked
    assert classified["model"] == "small"
    names = classified["response_format"]["json_schema"]["schema"]["properties"]["branch"]["enum"]
    assert names == ["orders", "staff", "other"]
    assert "leave and pay" in classified["messages"][0]["content"]
    assert (asked["model"], asked["messages"][0]["content"], asked.get("tools")) == ("big", "You sell.", None)
    for body in (staff, other):
        assert (body["model"], body["messages"][0]["content"], len(body["tools"])) == ("owl", "Help.", 1)
    assert answers[0]["usage"]["total_tokens"] == 52, "the choice is counted"


async def test_the_gateway_is_away() -> None:
    backend = Backend({})
    async with backend.served() as url:
        pass
    async with stage(gateway={"url": url}) as on:
        with pytest.raises(APIStatusError) as caught:
            await on.ask()
    assert (caught.value.status_code, caught.value.response.headers["retry-after"]) == (503, "5")
