"""/v1/responses of a RAG pipeline, by OpenAI's own client."""

from typing import Any

import openai
import pytest
from aiohttp import web

from ..support import NOT_FOUND, TEXT, chunks, completion, found, sse, stage

ASK = "When do owls hunt?"
TOOL = {"type": "file_search", "vector_store_ids": ["vs_docs"]}


async def test_has_a_file_search_and_a_message_with_citations() -> None:
    async with stage() as on:
        response = await on.client.responses.create(
            model="docs",
            input=ASK,
            instructions="Be brief.",
            tools=[TOOL],  # type: ignore[list-item]
            include=["file_search_call.results"],
            max_output_tokens=50,
        )
    assert (response.status, response.model, response.output_text) == ("completed", "docs", TEXT)
    search, message = response.output
    assert search.type == "file_search_call"
    assert search.queries == [ASK]
    assert [each.file_id for each in search.results or ()] == ["file-1", "file-2"]
    assert message.type == "message"
    part = message.content[0]
    assert part.type == "output_text"
    (citation,) = part.annotations
    assert citation.type == "file_citation"
    assert (citation.file_id, citation.filename, citation.index) == ("file-1", "1.md", TEXT.index("[1]"))
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (24, 6)
    (asked,) = on.gateway.asked
    assert asked["path"] == "/v1/chat/completions"
    assert asked["max_completion_tokens"] == 50
    assert asked["messages"][0] == {"role": "system", "content": "Be brief."}
    assert asked["messages"][1]["content"].endswith(f"Question: {ASK}")


async def test_shows_results_only_where_they_are_asked_for() -> None:
    async with stage() as on:
        response = await on.client.responses.create(model="docs", input=ASK)
    assert response.output[0].type == "file_search_call"
    assert response.output[0].results is None


async def test_streams_all_events_in_order() -> None:
    async with stage() as on:
        stream = await on.client.responses.create(model="docs", input=ASK, stream=True)
        got = [event async for event in stream]
    assert [event.sequence_number for event in got] == list(range(len(got)))
    kinds = list(dict.fromkeys(event.type for event in got))
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
        "response.output_item.done",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.completed",
    ]
    assert "".join(event.delta for event in got if event.type == "response.output_text.delta") == TEXT
    last = got[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == TEXT
    assert last.response.usage is not None
    assert last.response.usage.input_tokens == 24


async def test_the_clients_accumulator_reads_the_stream() -> None:
    async with stage() as on, on.client.responses.stream(model="docs", input=ASK) as stream:
        async for _ in stream:
            pass
        assert (await stream.get_final_response()).output_text == TEXT


@pytest.mark.parametrize("streamed", [False, True])
async def test_nothing_found_is_said_without_a_model(streamed: bool) -> None:
    async with stage(finds=found()) as on:
        if streamed:
            async with on.client.responses.stream(model="docs", input=ASK) as stream:
                async for _ in stream:
                    pass
                response: Any = await stream.get_final_response()
        else:
            response = await on.client.responses.create(model="docs", input=ASK)
    assert response.output_text == NOT_FOUND
    assert response.usage.output_tokens == 0
    assert on.gateway.asked == []


async def test_an_answer_that_was_cut_is_incomplete() -> None:
    cut = completion()
    cut["choices"][0]["finish_reason"] = "length"
    async with stage(answers=cut) as on:
        response = await on.client.responses.create(model="docs", input=ASK)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_stream_that_breaks_fails_the_response() -> None:
    async def breaks(request: web.Request) -> web.StreamResponse:
        return web.Response(body=sse(chunks("Owls")[:2], done=False), content_type="text/event-stream")

    async with stage(answers=breaks) as on:
        stream = await on.client.responses.create(model="docs", input=ASK, stream=True)
        got = [event async for event in stream]
    assert got[-1].type == "response.failed"
    assert got[-1].response.error is not None
    assert "ended before its end" in got[-1].response.error.message


async def test_the_request_narrows_the_search_down() -> None:
    own = {"type": "eq", "key": "lang", "value": "en"}
    asked = {"type": "gte", "key": "year", "value": 2020}
    tool = {**TOOL, "filters": asked, "max_num_results": 2, "ranking_options": {"score_threshold": 0.5}}
    async with stage(filters=own, keep=5, min_score=0.25) as on:
        await on.client.responses.create(model="docs", input=ASK, tools=[tool])  # type: ignore[list-item]
    (search,) = on.store.asked
    assert search["filters"] == {"type": "and", "filters": [own, asked]}
    assert search["max_num_results"] == 2
    assert search["ranking_options"] == {"score_threshold": 0.5}


async def test_conversation_with_what_an_earlier_response_had() -> None:
    conversation: Any = [
        {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
        {"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["Hello"], "results": None},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
        {"role": "user", "content": ASK},
    ]
    async with stage() as on:
        await on.client.responses.create(model="docs", input=conversation)
    messages = on.gateway.asked[0]["messages"]
    assert messages[:2] == [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    assert on.vectors.asked == [ASK]


async def test_a_schema_goes_on_to_the_model() -> None:
    schema: dict[str, object] = {"type": "object", "properties": {}}
    async with stage() as on:
        await on.client.responses.create(
            model="docs", input=ASK, text={"format": {"type": "json_schema", "name": "x", "schema": schema}}
        )
    assert on.gateway.asked[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": schema},
    }


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"background": True}, "background is true"),
        ({"previous_response_id": "resp_1"}, "keeps no responses, send the conversation in input"),
        ({"input": 1}, "input is neither a text nor a list"),
        ({"input": [{"type": "function_call", "name": "x"}]}, "is of type 'function_call'"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "a part of type 'input_file'"),
        ({"tools": [{"type": "web_search"}]}, "another tool than file_search"),
        ({"tools": [TOOL, TOOL]}, "file_search 2 times"),
        ({"tools": [{**TOOL, "vector_store_ids": ["vs_other"]}]}, "names 'vs_other', but this pipeline searches"),
        ({"tools": [{**TOOL, "max_num_results": 51}]}, "use a number from 1 to 50"),
        ({"tools": [{**TOOL, "ranking_options": {"score_threshold": 2}}]}, "use a number from 0 to 1"),
        ({"tools": [{**TOOL, "filters": {"type": "like"}}]}, "tools.0.filters.type is 'like', use one of eq, ne"),
        ({"tools": [{**TOOL, "filters": {"type": "eq", "key": "a"}}]}, "has the keys type, key"),
    ],
)
async def test_refusals(request_: dict[str, Any], says: str) -> None:
    async with stage() as on:
        with pytest.raises(openai.BadRequestError, match=says):
            await on.client.post("/responses", body={"model": "docs", "input": ASK, **request_}, cast_to=object)
    assert on.vectors.asked == []
