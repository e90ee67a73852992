"""The openai package's responses: made, streamed, retrieved, cancelled, continued."""

import time
from typing import Any

import openai
import pytest

from tests.clients.test_openai import RAY, SCHEMA, Bird

ASK: dict[str, Any] = {"model": "sparrow", "temperature": 0, "input": RAY, "max_output_tokens": 200}
WEATHER: Any = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": True}


def test_made_retrieved_and_continued(client: openai.OpenAI, answers: dict[str, str]) -> None:
    made = client.responses.create(**ASK)
    assert made.output_text == answers[RAY]
    assert made.status == "completed"
    assert made.usage
    assert (made.usage.input_tokens, made.usage.output_tokens) == (6, 16)
    assert client.responses.retrieve(made.id).output_text == answers[RAY]
    after = client.responses.create(**ASK | {"input": "What is vLLM?"}, previous_response_id=made.id)
    assert after.output_text == answers["What is vLLM?"]
    assert after.usage
    assert after.usage.input_tokens > made.usage.total_tokens


def test_streamed(client: openai.OpenAI, answers: dict[str, str]) -> None:
    with client.responses.stream(**ASK) as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert "".join(pieces) == final.output_text == answers[RAY]
    assert final.usage
    assert final.usage.output_tokens == 16


def test_in_the_background(client: openai.OpenAI, answers: dict[str, str]) -> None:
    made = client.responses.create(**ASK, background=True)
    assert made.status in ("queued", "in_progress")
    assert settled(client, made.id).output_text == answers[RAY]


def test_cancelled(client: openai.OpenAI) -> None:
    endless = ASK | {"max_output_tokens": 2000, "extra_body": {"ignore_eos": True}}
    made = client.responses.create(**endless, background=True)
    assert client.responses.cancel(made.id).status == "cancelled"
    assert client.responses.retrieve(made.id).status == "cancelled"


def settled(client: openai.OpenAI, identity: str) -> Any:
    """The response, once it is no longer being made."""
    for _ in range(100):
        found = client.responses.retrieve(identity)
        if found.status not in ("queued", "in_progress"):
            return found
        time.sleep(0.1)
    raise AssertionError(found.status)


def test_a_tool_call(client: openai.OpenAI) -> None:
    (call,) = client.responses.create(
        **ASK, tools=[WEATHER], tool_choice={"type": "function", "name": "weather"}
    ).output
    assert call.type == "function_call"
    assert call.name == "weather"
    assert call.arguments.replace(" ", "") in ('{"city":"Rome"}', '{"city":"Oslo"}')


def test_a_structured_answer(client: openai.OpenAI) -> None:
    assert isinstance(client.responses.parse(**ASK, text_format=Bird).output_parsed, Bird)


def test_an_unknown_one(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_unknown")
    with pytest.raises(openai.NotFoundError):
        client.responses.cancel("resp_unknown")


def test_an_unknown_model(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.responses.create(**ASK | {"model": "swan"})
    assert unknown.value.code == "model_not_found"
