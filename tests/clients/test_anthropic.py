"""The anthropic package, against the same model, and errors as it raises them."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from tests.clients.conftest import KEY
from tests.clients.test_openai import RAY, SCHEMA

ASK: dict[str, Any] = {
    "model": "sparrow",
    "max_tokens": 100,
    "extra_body": {"temperature": 0},
    "messages": [{"role": "user", "content": RAY}],
}
TOOLS: list[Any] = [{"name": "weather", "input_schema": SCHEMA}]


@pytest.fixture
def claude(gateway: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway, api_key=KEY, max_retries=0, timeout=60) as client:
        yield client


def test_a_message(claude: anthropic.Anthropic, answers: dict[str, str]) -> None:
    message = claude.messages.create(**ASK)
    assert [block.text for block in message.content if block.type == "text"] == [answers[RAY]]
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (6, 16)
    assert message._request_id


def test_a_system_prompt(claude: anthropic.Anthropic) -> None:
    more = claude.messages.create(**ASK, system="Answer in one sentence.")
    assert more.usage.input_tokens > 6


def test_a_stream(claude: anthropic.Anthropic, answers: dict[str, str]) -> None:
    with claude.messages.stream(**ASK) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(pieces) == answers[RAY]
    assert final.stop_reason == "end_turn"
    assert (final.usage.input_tokens, final.usage.output_tokens) == (6, 16)


def test_a_stream_comes_in_pieces(claude: anthropic.Anthropic) -> None:
    """One of ten: of a short answer the engine itself may put all tokens into one event, and none can be longer."""

    def pieces() -> int:
        with claude.messages.stream(**ASK) as stream:
            return sum(1 for _ in stream.text_stream)

    assert any(pieces() > 1 for _ in range(10))


async def test_asyncio(gateway: str, answers: dict[str, str]) -> None:
    client = anthropic.AsyncAnthropic(base_url=gateway, api_key=KEY, max_retries=0)
    async with client, client.messages.stream(**ASK) as stream:
        assert "".join([piece async for piece in stream.text_stream]) == answers[RAY]


def test_an_authorization_header_does_too(gateway: str, answers: dict[str, str]) -> None:
    with anthropic.Anthropic(base_url=gateway, auth_token=KEY, max_retries=0) as client:
        (block,) = client.messages.create(**ASK).content
    assert block.type == "text"
    assert block.text == answers[RAY]


def test_a_tool_call(claude: anthropic.Anthropic) -> None:
    message = claude.messages.create(**ASK, tools=TOOLS, tool_choice={"type": "tool", "name": "weather"})
    (call,) = [block for block in message.content if block.type == "tool_use"]
    assert call.name == "weather"
    assert call.input in ({"city": "Rome"}, {"city": "Oslo"})


def test_count_tokens(claude: anthropic.Anthropic) -> None:
    counted = claude.messages.count_tokens(model="sparrow", messages=ASK["messages"])
    assert counted.input_tokens == 6


def test_what_claude_code_sends(claude: anthropic.Anthropic) -> None:
    cached: Any = {"cache_control": {"type": "ephemeral"}}
    ask: dict[str, Any] = ASK | {
        "system": [{"type": "text", "text": "You are Claude Code.", **cached}],
        "tools": TOOLS,
        "metadata": {"user_id": "user_1"},
    }
    query: Any = {"extra_query": {"beta": "true"}, "extra_headers": {"anthropic-beta": "claude-code-20250219"}}
    message = claude.messages.create(**ask, **query)
    assert message.usage.output_tokens > 0
    count = claude.messages.count_tokens(model="sparrow", messages=ask["messages"], system=ask["system"])
    assert count.input_tokens > 6


@pytest.mark.parametrize("turn", ["system in between", "picture in a tool's result"])
def test_what_the_engine_does_not_take_is_refused_in_anthropics_shape(claude: anthropic.Anthropic, turn: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": source}]}
    turns: dict[str, Any] = {
        "system in between": {"role": "ctx", "content": "Be short."},
        "picture in a tool's result": {"role": "user", "content": [result]},
    }
    with pytest.raises(anthropic.BadRequestError) as refused:
        claude.messages.create(**ASK | {"messages": [*ASK["messages"], turns[turn]]})
    assert shape(refused.value)["type"] == "invalid_request_error"


def test_an_unknown_model(claude: anthropic.Anthropic) -> None:
    for ask in (claude.messages.create, claude.messages.count_tokens):
        fields = ASK | {"model": "swan"}
        if ask == claude.messages.count_tokens:
            fields = {key: fields[key] for key in ("model", "messages")}
        with pytest.raises(anthropic.NotFoundError) as unknown:
            ask(**fields)
        error = shape(unknown.value)
        assert error["type"] == "not_found_error"
        assert "swan" in error["message"]


def test_a_model_that_is_for_something_else(claude: anthropic.Anthropic) -> None:
    with pytest.raises((anthropic.NotFoundError, anthropic.BadRequestError)) as refused:
        claude.messages.create(**ASK | {"model": "embedder"})
    assert "sparrow" in shape(refused.value)["message"]


def test_a_wrong_key(gateway: str) -> None:
    client = anthropic.Anthropic(base_url=gateway, api_key="wrong", max_retries=0)
    with client, pytest.raises(anthropic.AuthenticationError) as refused:
        client.messages.create(**ASK)
    assert shape(refused.value)["type"] == "authentication_error"


def test_what_the_engine_refuses(claude: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="max_model_len") as refused:
        claude.messages.create(**ASK | {"max_tokens": 5000})
    shape(refused.value)


def shape(error: anthropic.APIStatusError) -> dict[str, str]:
    """The error object, in the shape of Anthropic's API."""
    body: Any = error.body
    assert body["type"] == "error"
    assert isinstance(body["error"]["message"], str)
    return dict(body["error"])
