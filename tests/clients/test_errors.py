"""Errors, byte for byte as OpenAI and Anthropic shape them, whoever found the fault: the gateway or the engine."""

import json
import re
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.clients.conftest import KEY

LONG = "What is Ray? " * 900
MESSAGES: list[Any] = [{"role": "user", "content": "What is Ray?"}]
CHAT: dict[str, Any] = {"model": "sparrow", "messages": MESSAGES}
MESSAGE = CHAT | {"max_tokens": 10}
TOO_LONG: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": CHAT | {"messages": [{"role": "user", "content": LONG}]},
    "/v1/completions": {"model": "sparrow", "prompt": LONG, "max_tokens": 10},
    "/v1/responses": {"model": "sparrow", "input": LONG},
}
TOO_MANY_LOGPROBS = CHAT | {"logprobs": True, "top_logprobs": 21}
# What the engine refuses: path, body, and the parameter that the error names, if it can be known.
REFUSED: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "more tokens than fit": ("/v1/chat/completions", CHAT | {"max_tokens": 5000}, "max_tokens"),
    "five stops": ("/v1/chat/completions", CHAT | {"stop": list("abcde")}, "stop"),
    "no messages": ("/v1/chat/completions", CHAT | {"messages": []}, None),
    "messages of 60 kB of text": ("/v1/chat/completions", CHAT | {"messages": "a" * 60_000}, "messages"),
    "messages of 70 kB of text": ("/v1/chat/completions", CHAT | {"messages": "a" * 70_000}, "messages"),
    "a prompt of objects": ("/v1/completions", {"model": "sparrow", "prompt": [{"a": 1}]}, "prompt"),
    "input of no known type": ("/v1/responses", {"model": "sparrow", "input": [{"type": "nonsense"}]}, "input"),
    "input without a role": ("/v1/responses", {"model": "sparrow", "input": [{"content": "hi"}]}, "input"),
    "an input that is no embedding's": ("/v1/embeddings", {"model": "embedder", "input": {"a": 1}}, "input"),
}
REFUSED_MESSAGES: dict[str, dict[str, Any]] = {
    "more tokens than fit": MESSAGE | {"max_tokens": 5000},
    "a block of no known type": MESSAGE | {"messages": [{"role": "user", "content": [{"type": "nonsense"}]}]},
    "messages of 70 kB of text": MESSAGE | {"messages": "a" * 70_000},
    "no max_tokens": CHAT,
}


@pytest.fixture
def http(gateway: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway, headers={"authorization": f"Bearer {KEY}"}, timeout=60) as client:
        yield client


def assert_openai(error: dict[str, Any]) -> None:
    """OpenAI's four fields and no other, of OpenAI's types. A message is a sentence, not a page."""
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert isinstance(error["code"], str | None)
    assert isinstance(error["param"], str | None)
    assert 10 < len(error["message"]) < 2000
    assert not error["message"].startswith("{"), "JSON as text"


def assert_anthropic(body: dict[str, Any]) -> None:
    """Anthropic's error object; request_id may stand beside it."""
    assert body["type"] == "error"
    assert body.keys() <= {"type", "error", "request_id"}
    assert body["error"].keys() == {"type", "message"}
    assert body["error"]["type"] == "invalid_request_error"
    assert 10 < len(body["error"]["message"]) < 2000
    assert not body["error"]["message"].startswith("{"), "JSON as text"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_the_engine_refuses(http: httpx.Client, case: str, stream: bool) -> None:
    path, ask, param = REFUSED[case]
    answer = http.post(path, json=ask | ({"stream": True} if stream and path != "/v1/embeddings" else {}))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"error"}
    assert_openai(body["error"])
    if param:
        assert re.split(r"[.\[]", body["error"]["param"] or "")[0] == param


def test_what_the_engine_refuses_inside_a_stream(http: httpx.Client) -> None:
    """The engine looks at some parameters only when the stream has begun."""
    assert_openai(http.post("/v1/chat/completions", json=TOO_MANY_LOGPROBS).json()["error"])
    lines = http.post("/v1/chat/completions", json=TOO_MANY_LOGPROBS | {"stream": True}).text.splitlines()
    (event,) = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert_openai(event["error"])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("case", REFUSED_MESSAGES)
def test_messages_that_the_engine_refuses(http: httpx.Client, case: str, stream: bool) -> None:
    answer = http.post("/v1/messages", json=REFUSED_MESSAGES[case] | {"stream": stream})
    assert answer.status_code == 400
    assert_anthropic(answer.json())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("path", TOO_LONG)
def test_a_prompt_that_is_too_long(http: httpx.Client, path: str, stream: bool) -> None:
    """The code is what dspy, LangChain.js and others look for, to shorten the prompt and ask again."""
    answer = http.post(path, json=TOO_LONG[path] | {"stream": stream})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert_openai(error)
    assert error["code"] == "context_length_exceeded"
    assert "maximum context length is 2048 tokens" in error["message"]


def test_a_prompt_that_is_too_long_for_the_openai_package(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**TOO_LONG["/v1/chat/completions"])
    assert refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_message_that_is_too_long(gateway: str, stream: bool) -> None:
    """Anthropic has no code for it: clients look for its words."""
    long = MESSAGE | {"messages": [{"role": "user", "content": LONG}]}
    with (
        anthropic.Anthropic(base_url=gateway, api_key=KEY, max_retries=0) as claude,
        pytest.raises(anthropic.BadRequestError, match=r"prompt is too long: \d+ tokens > 2048 maximum") as refused,
    ):
        claude.messages.create(**long, stream=stream)
    body: Any = refused.value.body
    assert_anthropic(body)


@pytest.mark.parametrize("path", ["/v1/responses/resp_unknown", "/v1/responses/resp_unknown/cancel"])
def test_a_response_that_is_not_there(http: httpx.Client, path: str) -> None:
    answer = http.post(path) if path.endswith("cancel") else http.get(path)
    assert answer.status_code == 404
    assert_openai(answer.json()["error"])


def test_a_response_that_goes_on_from_none(http: httpx.Client) -> None:
    ask = {"model": "sparrow", "input": "What is Ray?", "previous_response_id": "resp_unknown"}
    answer = http.post("/v1/responses", json=ask)
    assert answer.status_code in (400, 404)
    assert_openai(answer.json()["error"])
