"""/v1/chat/completions of a RAG pipeline, by OpenAI's own client."""

from typing import Any

import httpx
import pytest
from openai.types.chat import ChatCompletionMessageParam

from ..support import NOT_FOUND, TEXT, Scores, completion, found, stage

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "When do owls hunt?"}]


async def test_answers_from_documents_with_citations() -> None:
    async with stage() as on:
        answer = await on.client.chat.completions.create(model="docs", messages=ASK, temperature=0.5)
    assert answer.model == "docs"
    assert answer.choices[0].message.content == TEXT
    (annotation,) = answer.choices[0].message.annotations or []
    assert annotation.url_citation.url == "/v1/files/file-1/content"
    assert TEXT[annotation.url_citation.start_index : annotation.url_citation.end_index] == "[1]"
    shown = (answer.model_extra or {})["sources"]
    assert [each["file_id"] for each in shown] == ["file-1", "file-2"]
    assert shown[0] | {"score": 0} == {
        "index": 1,
        "file_id": "file-1",
        "filename": "1.md",
        "score": 0,
        "attributes": {},
        "text": "Owls hunt at night.",
    }
    (asked,) = on.gateway.asked
    assert asked["model"] == "smollm2"
    assert asked["temperature"] == 0.5
    assert asked["messages"][0]["content"] == (
        "Documents:\n[1] 1.md\nOwls hunt at night.\n\n[2] 2.md\nSparrows sing.\n\nQuestion: When do owls hunt?"
    )


async def test_tokens_of_all_parts_are_in_the_usage() -> None:
    """The gateway counts them under the pipeline's name."""
    async with stage(scorer=Scores()) as on:
        answer = await on.client.chat.completions.create(model="docs", messages=ASK)
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (20 + 4 + 7, 6)
    assert answer.usage.total_tokens == 37
    assert on.measures.counted == {"embed": 4, "rerank": 7}


async def test_searches_with_the_questions_vector() -> None:
    async with stage(query_prefix="query: ", keep=3) as on:
        await on.client.chat.completions.create(model="docs", messages=ASK)
    assert on.vectors.asked == ["query: When do owls hunt?"]
    assert on.store.asked == [
        {
            "path": "/v1/vector_stores/vs_docs/search",
            "query": "When do owls hunt?",
            "query_vector": [25.0],
            "max_num_results": 3,
            "ranking_options": {"score_threshold": 0},
        }
    ]
    assert on.measures.parts == ["embed", "search"]
    assert on.measures.documents == [2]


async def test_searches_words_too_and_as_the_stores_team() -> None:
    question = "owl " * 10_000
    async with stage(hybrid=True, store={"id": "vs_docs", "team": "search"}) as on:
        await on.client.chat.completions.create(model="docs", messages=[{"role": "user", "content": question}])
    assert on.store.asked[0]["ranking_options"] == {"score_threshold": 0, "hybrid_search": {}}
    assert on.store.headers[0]["x-gateway-team"] == "search"
    assert len(on.store.asked[0]["query"]) == 32768


async def test_streams_with_sources_first_and_citations_at_the_end() -> None:
    async with stage() as on:
        stream = await on.client.chat.completions.create(
            model="docs", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
        got = [chunk async for chunk in stream]
    assert [(chunk.model_extra or {}).get("sources") is not None for chunk in got] == [True] + [False] * (len(got) - 1)
    assert {chunk.model for chunk in got} == {"docs"}
    assert "".join(chunk.choices[0].delta.content or "" for chunk in got if chunk.choices) == TEXT
    (last,) = [chunk for chunk in got if chunk.choices and chunk.choices[0].finish_reason]
    (citation,) = (last.choices[0].delta.model_extra or {})["annotations"]
    assert citation["url_citation"]["title"] == "1.md"
    assert got[-1].usage is not None
    assert got[-1].usage.prompt_tokens == 24


async def test_no_usage_where_nobody_asked() -> None:
    async with stage() as on:
        stream = await on.client.chat.completions.create(model="docs", messages=ASK, stream=True)
        assert all(chunk.usage is None and chunk.choices for chunk in [chunk async for chunk in stream])


@pytest.mark.parametrize("streamed", [False, True])
async def test_nothing_found_is_said_without_a_model(streamed: bool) -> None:
    async with stage(finds=found()) as on:
        body: dict[str, Any] = {"model": "docs", "messages": ASK, "stream": streamed}
        async with httpx.AsyncClient(base_url=on.url) as client:
            answer = await client.post("/v1/chat/completions", json=body)
    assert NOT_FOUND in answer.text
    assert '"sources":[]' in answer.text.replace(" ", "")
    assert on.gateway.asked == []
    assert on.measures.documents == [0]


async def test_nothing_found_lets_the_model_answer_where_that_is_set() -> None:
    async with stage(finds=found(), answers=completion("By myself."), not_found="generate") as on:
        answer = await on.client.chat.completions.create(model="docs", messages=ASK)
    assert answer.choices[0].message.content == "By myself."
    assert not answer.choices[0].message.annotations
    assert on.gateway.asked[0]["messages"] == ASK


async def test_an_answer_that_names_no_source_cites_all_it_was_given() -> None:
    async with stage(answers=completion("At night.")) as on:
        answer = await on.client.chat.completions.create(model="docs", messages=ASK)
    urls = [each.url_citation.url for each in answer.choices[0].message.annotations or ()]
    assert urls == ["/v1/files/file-1/content", "/v1/files/file-2/content"]


async def test_reranks() -> None:
    async with stage(finds=found("Sparrows sing.", "owls hunt at night"), scorer=Scores(), keep=1, top_k=9) as on:
        answer = await on.client.chat.completions.create(model="docs", messages=ASK)
    (shown,) = (answer.model_extra or {})["sources"]
    assert shown["text"] == "owls hunt at night"
    assert on.store.asked[0]["max_num_results"] == 9
    assert on.measures.parts == ["embed", "search", "rerank"]


async def test_min_score_is_the_rerankers_where_there_is_one() -> None:
    async with stage(finds=found("Sparrows sing.", "owls hunt"), scorer=Scores(), min_score=0.25) as on:
        answer = await on.client.chat.completions.create(model="docs", messages=ASK)
    assert [each["text"] for each in (answer.model_extra or {})["sources"]] == ["owls hunt"]
    assert on.store.asked[0]["ranking_options"] == {"score_threshold": 0}
