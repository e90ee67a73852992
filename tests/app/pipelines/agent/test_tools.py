"""Tools of an agent: a real MCP server, HTTP, and the documents of pipelines."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from openai import APIStatusError

from serve_app.pipelines.errors import away
from serve_app.pipelines.rag.source import Query, Retrieved
from tests.app.pipelines.support import Backend

from .support import scripted, source, stage

ROME = ("get_weather", {"city": "Rome"})


async def test_a_tool_of_an_mcp_server(weather: str) -> None:
    script = scripted([ROME], "It is rainy.")
    async with stage(script, tools={"mcp": {"weather": {"url": weather}}}, instructions="Be brief.") as on:
        answer = await on.ask()
    (choice,) = answer["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("It is rainy.", "stop")
    (step,) = answer["steps"]
    assert json.loads(step.pop("arguments")) == {"city": "Rome"}
    assert step == {
        "id": "call_0",
        "source": "weather",
        "name": "get_weather",
        "output": "rainy in Rome",
        "failed": False,
    }
    assert answer["usage"]["prompt_tokens"] == 40, "of both steps"
    first, second = on.gateway.asked
    assert first["messages"][0] == {"role": "system", "content": "Be brief."}
    assert [tool["function"]["name"] for tool in first["tools"]] == ["get_weather", "wait"]
    assert second["messages"][-1]["content"] == "rainy in Rome"
    assert on.gateway.headers[0]["x-gateway-key"] == "pipeline:helper"
    assert on.measures.taken == [2]


async def test_a_tool_that_fails_is_told_to_the_model(weather: str) -> None:
    script = scripted([("get_weather", {"city": "Atlantis"})], "Nobody knows.")
    async with stage(script, tools={"mcp": {"weather": {"url": weather}}}) as on:
        answer = await on.ask()
    (step,) = answer["steps"]
    assert step["failed"]
    assert "under water" in step["output"]
    assert "under water" in on.gateway.asked[1]["messages"][-1]["content"]
    assert answer["choices"][0]["message"]["content"] == "Nobody knows."
    assert on.measures.failed == ["weather"]


async def test_a_tool_that_takes_too_long_fails(weather: str) -> None:
    script = scripted([("wait", {"seconds": 60})], "Too slow.")
    async with stage(script, tools={"mcp": {"weather": {"url": weather}}}, limits={"tool_seconds": 3.0}) as on:
        answer = await on.ask()
    assert answer["steps"][0]["output"] == "wait has not answered within 3 s."


async def test_a_client_that_leaves_ends_a_tools_work(weather: str, mcp_log: Path) -> None:
    script = scripted([("wait", {"seconds": 60})], "Never.")
    waiting, ended = counts(mcp_log)
    async with stage(script, tools={"mcp": {"weather": {"url": weather}}}) as on:
        stream: Any = await on.client.chat.completions.create(
            model="helper", messages=[{"role": "user", "content": "Wait"}], stream=True
        )
        async for chunk in stream:
            if chunk.model_dump().get("step"):
                break
        async with asyncio.timeout(60):
            while counts(mcp_log) != (waiting + 1, ended):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)
            await stream.close()
            while counts(mcp_log) != (waiting + 1, ended + 1):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


def counts(log: Path) -> tuple[int, int]:
    """How often the tool `wait` has begun, and ended."""
    text = log.read_text()
    return text.count("waiting"), text.count("ended")


async def test_names_a_prefix_and_a_choice_of_tools(weather: str) -> None:
    servers = {
        "weather": {"url": weather, "tools": ["get_weather"]},
        "again": {"url": weather, "tools": ["get_weather"], "prefix": "b_"},
    }
    async with stage(scripted([("b_get_weather", {"city": "Rome"})], "Rainy."), tools={"mcp": servers}) as on:
        answer = await on.ask()
    assert [tool["function"]["name"] for tool in on.gateway.asked[0]["tools"]] == ["get_weather", "b_get_weather"]
    assert answer["steps"][0]["source"] == "again"


async def test_servers_that_cannot_be_had(weather: str) -> None:
    async def refusal(servers: dict[str, Any]) -> tuple[int, str]:
        async with stage(tools={"mcp": servers}) as on:
            with pytest.raises(APIStatusError) as caught:
                await on.ask()
            assert not on.gateway.asked
            return caught.value.status_code, caught.value.message.partition(" - ")[2]

    assert await refusal({"gone": {"url": "http://127.0.0.1:9/mcp"}}) == (
        503,
        "The tools of gone cannot be reached, try again in a few seconds.",
    )
    status, message = await refusal({"a": {"url": weather}, "b": {"url": weather}})
    assert status == 502
    assert message == "b and a both have a tool 'get_weather', set a prefix for one."
    keyless = {"url": weather, "headers": {"authorization": {"file": "/nowhere/crm"}}}
    status, message = await refusal({"a": keyless})
    assert message == "The tools of a cannot be used: the Secret with the tools' credentials has no key 'crm'."


async def test_http_tools(tmp_path: Path) -> None:
    (tmp_path / "crm").write_text("secret\n")
    seen: list[Any] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append((request.method, request.raw_path, request.headers.get("authorization"), await request.text()))
        return web.Response(text="x" * 150 if request.method == "GET" else "made")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    fields = {"id": {"type": "string"}, "tags": {"type": "array"}}
    tools = {
        "order": {
            "url": f"{url}/orders/{{id}}",
            "description": "An order.",
            "parameters": {"type": "object", "properties": fields, "required": ["id"]},
            "headers": {"authorization": {"file": str(tmp_path / "crm"), "prefix": "Bearer "}},
        },
        "make": {"url": f"{url}/orders", "method": "POST", "description": "Makes one."},
    }
    script = scripted(
        [("order", {"id": "../4?x", "tags": ["a", 1]})], [("order", {"tags": []})], [("make", {"n": 2})], "Done."
    )
    async with stage(script, tools={"http": tools}, limits={"result_characters": 100}) as on:
        got = await on.ask()
    await runner.cleanup()
    assert seen == [
        ("GET", "/orders/..%2F4%3Fx?tags=a&tags=1", "Bearer secret", ""),
        ("POST", "/orders", None, '{"n": 2}'),
    ]
    assert [(step["output"], step["failed"]) for step in got["steps"]] == [
        ("x" * 100 + "\n(cut after 100 of 150 characters)", False),
        ("The arguments do not fit: 'id' is a required property.", True),
        ("made", False),
    ]


@pytest.mark.parametrize("status", [302, 500])
async def test_an_http_tool_that_does_not_succeed(status: int) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="no", headers={"location": "/elsewhere"})

    elsewhere = Backend(answer)
    async with elsewhere.served() as url:
        tools = {"http": {"make": {"url": f"{url}/x", "method": "POST", "description": "Makes one."}}}
        async with stage(scripted([("make", {})], "Sorry."), tools=tools) as on:
            answered = await on.ask()
    assert answered["steps"][0]["output"] == f"make answered {status}: no"
    assert answered["steps"][0]["failed"]
    assert len(elsewhere.asked) == 1, "no redirect is followed"


async def test_documents_of_a_pipeline() -> None:
    tools = {"pipelines": {"hand.book": {"description": "The handbook.", "keep": 2}}}
    script = scripted([("search_hand_book", {"query": "leave"})], "Two weeks.")
    async with stage(script, tools=tools, finds=lambda _: Retrieved((source("Two weeks."),), 7)) as on:
        answer = await on.ask()
    ((pipeline, query),) = on.looked_for
    assert (pipeline, query.text, query.keep) == ("hand.book", "leave", 2)
    assert answer["steps"][0]["output"] == "[1] a.md\nTwo weeks."
    assert answer["usage"]["prompt_tokens"] == 47, "two steps, and the search"


async def test_documents_that_are_away() -> None:
    def find(query: Query) -> Retrieved:
        raise away("The store is away.", "store_unavailable")

    tools = {"pipelines": {"docs": {"description": "The handbook."}}}
    script = scripted([("search_docs", {"query": "leave"})], [("search_docs", {})], "Sorry.")
    async with stage(script, tools=tools, finds=find) as on:
        answer = await on.ask()
    assert [step["output"] for step in answer["steps"]] == [
        "The store is away.",
        "query is no text, say what to look for.",
    ]


async def test_tools_that_are_not_there() -> None:
    async with stage(scripted([("fly", {})], "I cannot."), limits={"steps": 3}) as on:
        answer = await on.ask()
    assert answer["choices"][0]["message"]["content"] == "I cannot."
    assert answer["steps"][0]["failed"]
