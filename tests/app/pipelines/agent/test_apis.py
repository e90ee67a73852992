"""Both APIs of an agent, whole and streamed, as OpenAI's own client reads them; and conversations that are kept."""

from typing import Any

import pytest
from openai import APIStatusError

from serve_app.pipelines.agent.conversations import Conversations
from serve_app.pipelines.agent.events import Called, Event, Returned, Said
from serve_app.pipelines.agent.runner import texts
from serve_app.pipelines.rag.source import Retrieved
from serve_app.settings.agent import Conversations as Settings

from .support import Stage, of_kind, scripted, source, stage

SEARCH: dict[str, Any] = {"tools": {"pipelines": {"docs": {"description": "The handbook."}}}}
LEAVE = scripted([("search_docs", {"query": "leave"})], "Two weeks.")


def finds(_: Any) -> Retrieved:
    return Retrieved((source("Two weeks."),))


async def test_a_stream_shows_the_steps() -> None:
    asked: Any = {"model": "helper", "messages": [{"role": "user", "content": "How long?"}], "temperature": 0.5}
    async with stage(LEAVE, finds=finds, **SEARCH) as on:
        stream = await on.client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
        chunks = [chunk.model_dump() async for chunk in stream]
    steps = [chunk["step"] for chunk in chunks if "step" in chunk]
    assert [step["type"] for step in steps] == ["call", "result"]
    assert (steps[0]["source"], steps[0]["name"]) == ("docs", "search_docs")
    assert steps[1] == {"type": "result", "id": steps[0]["id"], "output": "[1] a.md\nTwo weeks.", "failed": False}
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    assert choices[0]["delta"]["role"] == "assistant"
    assert "".join(choice["delta"]["content"] or "" for choice in choices) == "Two weeks."
    assert choices[-1]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] == 52
    assert {chunk["model"] for chunk in chunks} == {"helper"}
    assert [body["temperature"] for body in on.gateway.asked] == [0.5, 0.5]


async def test_a_response_and_its_events_agree() -> None:
    async with stage(LEAVE, finds=finds, **SEARCH) as on:
        whole = (await on.client.responses.create(model="helper", input="How long?")).model_dump()
        async with on.client.responses.stream(model="helper", input="How long?") as stream:
            events = [event async for event in stream]
            final = (await stream.get_final_response()).model_dump()
    call, message = whole["output"]
    assert (call["type"], call["server_label"], call["name"]) == ("mcp_call", "docs", "search_docs")
    assert (call["output"], call["error"], call["status"]) == ("[1] a.md\nTwo weeks.", None, "completed")
    assert message["content"][0]["text"] == "Two weeks."
    assert (whole["status"], whole["usage"]["total_tokens"]) == ("completed", 52)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert "response.mcp_call.completed" in kinds

    assert [item["type"] for item in final["output"]] == ["mcp_call", "message"]
    assert final["output"][1]["content"][0]["text"] == "Two weeks."


async def test_a_failed_tool_in_a_response() -> None:
    async with stage(scripted([("search_docs", {})], "Sorry."), **SEARCH) as on:
        response = (await on.client.responses.create(model="helper", input="How long?")).model_dump()
    (call,) = of_kind(response["output"], "mcp_call")
    assert call["status"] == "failed"
    assert call["error"]["content"][0]["text"] == "query is no text, say what to look for."


async def test_the_conversation_reaches_the_model() -> None:
    async with stage(LEAVE, finds=finds, **SEARCH) as on:
        answer = await on.ask(
            messages=[
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Good day."},
                {"role": "user", "content": [{"type": "text", "text": "How long?"}]},
            ]
        )
    assert answer["choices"][0]["message"]["content"] == "Two weeks."
    roles = [message["role"] for message in on.gateway.asked[0]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert on.gateway.asked[0]["messages"][0]["content"] == "Be kind."


async def test_a_response_is_gone_on_from() -> None:
    async with stage(LEAVE, finds=finds, **SEARCH) as on:
        first = await on.client.responses.create(model="helper", input="How long?")
        second = await on.client.responses.create(model="helper", input="And then?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    roles = [message["role"] for message in on.gateway.asked[2]["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


async def refused(on: Stage, previous: str) -> tuple[int, str | None, str | None]:
    with pytest.raises(APIStatusError) as caught:
        await on.client.responses.create(model="helper", input="And then?", previous_response_id=previous)
    return caught.value.status_code, caught.value.code, caught.value.param


async def test_a_response_that_is_not_kept() -> None:
    async with stage() as on:
        response = await on.client.responses.create(model="helper", input="Hello", store=False)
        gone = (404, "previous_response_not_found", "previous_response_id")
        assert await refused(on, response.id) == gone
        assert await refused(on, "resp_1") == gone
    async with stage(conversations={"max": 0}) as on:
        kept = (await on.client.responses.create(model="helper", input="Hello")).model_dump()
        assert kept["store"] is False
        assert await refused(on, kept["id"]) == (400, "invalid_value", "previous_response_id")


def test_texts_of_several_steps_are_apart() -> None:
    call = Called("1", "docs", "search_docs", "{}")
    said: list[Event] = [Said("Let me "), Said("look."), call, Returned(call, "", failed=False), Said("Two.")]
    assert texts(said) == "Let me look.\n\nTwo."


def test_conversations_are_bounded() -> None:
    now = [0.0]
    kept = Conversations(Settings(max=2, bytes=10, seconds=60.0), clock=lambda: now[0])
    assert kept.put("a", b"1234")
    assert kept.put("b", b"1234")
    assert kept.put("c", b"12")
    assert [kept.get(name) for name in "abc"] == [b"", b"1234", b"12"], "by their count"
    assert kept.put("d", b"123456789")
    assert [kept.get(name) for name in "bcd"] == [b"", b"", b"123456789"], "by their bytes"
    assert not kept.put("e", b"12345678901")
    now[0] = 60
    assert kept.get("d") == b"", "by their age"
