"""The openai package: chat, completions, embeddings and models, and errors as it raises them."""

import asyncio
from typing import Any, Literal

import openai
import pydantic
import pytest

from tests.clients.conftest import KEY, TASKS

RAY = "What is Ray?"
QUESTION: list[Any] = [{"role": "user", "content": RAY}]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Rome", "Oslo"]}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS: list[Any] = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
NAMED: Any = {"type": "function", "function": {"name": "weather"}}
ASK: dict[str, Any] = {"model": "sparrow", "temperature": 0, "messages": QUESTION, "max_completion_tokens": 200}


class Bird(pydantic.BaseModel):
    """A structured answer."""

    name: Literal["owl", "sparrow"]
    can_fly: bool


def test_a_chat(client: openai.OpenAI, answers: dict[str, str]) -> None:
    completion = client.chat.completions.create(**ASK)
    assert completion.choices[0].message.content == answers[RAY]
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "sparrow"
    assert completion.usage
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (6, 16)
    assert completion._request_id


def test_a_stream(client: openai.OpenAI, answers: dict[str, str]) -> None:
    chunks = list(client.chat.completions.create(**ASK, stream=True))
    assert "".join([chunk.choices[0].delta.content or "" for chunk in chunks]) == answers[RAY]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert not any(chunk.usage for chunk in chunks), "usage that nobody asked for"


def test_a_stream_comes_while_it_is_made(client: openai.OpenAI) -> None:
    """Long answers: of a short one the engine itself may put all tokens into one event."""
    endless: dict[str, Any] = {"model": "sparrow", "stream": True, "extra_body": {"ignore_eos": True}}
    chat = client.chat.completions.create(messages=QUESTION, max_completion_tokens=1000, **endless)
    assert sum(1 for chunk in chat if chunk.choices[0].delta.content) > 10
    completion = client.completions.create(prompt=RAY, max_tokens=1000, **endless)
    assert sum(1 for chunk in completion if chunk.choices[0].text) > 10
    response = client.responses.create(input=RAY, max_output_tokens=1000, **endless)
    assert sum(event.type == "response.output_text.delta" for event in response) > 10


def test_a_stream_that_asks_for_usage(client: openai.OpenAI) -> None:
    *chunks, last = client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
    assert last.choices == []
    assert last.usage
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (6, 16)
    assert not any(chunk.usage for chunk in chunks)


async def test_asyncio(gateway: str, answers: dict[str, str]) -> None:
    async with openai.AsyncOpenAI(base_url=f"{gateway}/v1", api_key=KEY, max_retries=0) as client:
        questions = list(answers)[:8]
        asked = [
            client.chat.completions.create(**ASK | {"messages": [{"role": "user", "content": q}]}) for q in questions
        ]
        assert [done.choices[0].message.content for done in await asyncio.gather(*asked)] == [
            answers[question] for question in questions
        ]
        stream = await client.chat.completions.create(**ASK, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == answers[RAY]


@pytest.mark.parametrize("choice", ["required", NAMED], ids=["required", "named"])
def test_a_tool_call(client: openai.OpenAI, choice: Any, comma: str, answers: dict[str, str]) -> None:
    message = (
        client.chat.completions.create(**ASK, tools=TOOLS, tool_choice=choice, logit_bias={comma: -100})
        .choices[0]
        .message
    )
    assert message.tool_calls
    call = message.tool_calls[0]
    assert call.type == "function"
    assert call.function.name == "weather"
    assert call.function.arguments.replace(" ", "") in ('{"city":"Rome"}', '{"city":"Oslo"}')
    told: Any = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    turn: Any = [*QUESTION, message.model_dump(exclude_none=True), told, {"role": "user", "content": "What is vLLM?"}]
    after = client.chat.completions.create(**ASK | {"messages": turn}, tools=TOOLS)
    assert after.choices[0].message.content == answers["What is vLLM?"]


def test_a_tool_call_in_a_stream(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(**ASK, tools=TOOLS, tool_choice=NAMED) as stream:
        kinds = {event.type for event in stream}
        message = stream.get_final_completion().choices[0].message
    assert "tool_calls.function.arguments.delta" in kinds
    assert message.tool_calls
    assert message.tool_calls[0].function.name == "weather"
    assert message.tool_calls[0].function.arguments.replace(" ", "") in ('{"city":"Rome"}', '{"city":"Oslo"}')


def test_a_structured_answer(client: openai.OpenAI) -> None:
    bird = client.chat.completions.parse(**ASK, response_format=Bird).choices[0].message.parsed
    assert isinstance(bird, Bird)


def test_parameters_of_the_engine_and_logprobs(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(
        **ASK | {"max_completion_tokens": 3, "temperature": 1},
        n=2,
        logprobs=True,
        top_logprobs=2,
        extra_body={"ignore_eos": True},
    )
    assert [
        len(choice.logprobs.content) for choice in found.choices if choice.logprobs and choice.logprobs.content
    ] == [3, 3]


def test_completions(client: openai.OpenAI, answers: dict[str, str]) -> None:
    ask: dict[str, Any] = {
        "model": "sparrow",
        "temperature": 0,
        "prompt": f"Question: {RAY}\nAnswer:",
        "max_tokens": 40,
    }
    assert client.completions.create(**ask).choices[0].text == f" {answers[RAY]}"
    pieces = [chunk.choices[0].text for chunk in client.completions.create(**ask, stream=True)]
    assert "".join(pieces) == f" {answers[RAY]}"


def test_embeddings(client: openai.OpenAI) -> None:
    # As base64, which the package asks for by itself, and as numbers.
    found = client.embeddings.create(model="embedder", input=["a bird", "a plane"])
    plain = client.embeddings.create(model="embedder", input="a bird", encoding_format="float")
    assert [len(entry.embedding) for entry in found.data] == [128, 128]
    assert found.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert found.data[0].embedding != pytest.approx(found.data[1].embedding, abs=1e-3)
    assert found.usage.prompt_tokens > plain.usage.prompt_tokens > 0


def test_models(client: openai.OpenAI) -> None:
    assert {model.id for model in client.models.list()} == set(TASKS)
    card: Any = client.models.retrieve("sparrow")
    assert (card.id, card.object) == ("sparrow", "model")
    assert card.max_model_len == 2048
    with pytest.raises(openai.NotFoundError) as unknown:
        client.models.retrieve("swan")
    assert unknown.value.code == "model_not_found"


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model(client: openai.OpenAI, stream: bool) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(**ASK | {"model": "swan"}, stream=stream)
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    assert "swan" in unknown.value.message


def test_a_model_that_is_for_something_else(client: openai.OpenAI) -> None:
    with pytest.raises((openai.NotFoundError, openai.BadRequestError)) as chat:
        client.chat.completions.create(**ASK | {"model": "embedder"})
    assert "sparrow" in chat.value.message, "it names the models that can"
    with pytest.raises((openai.NotFoundError, openai.BadRequestError)) as embed:
        client.embeddings.create(model="sparrow", input="a bird")
    assert "embedder" in embed.value.message


def test_a_wrong_key(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        client.with_options(api_key="wrong").chat.completions.create(**ASK)
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").models.list()


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_engine_refuses(client: openai.OpenAI, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError, match="max_model_len"):
        client.chat.completions.create(**ASK | {"max_completion_tokens": 5000}, stream=stream)
