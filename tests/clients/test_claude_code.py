"""What Claude Code sends: an answer, or an error in Anthropic's shape that names the field."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.clients.conftest import KEY

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
EPHEMERAL = {"type": "ephemeral"}
READ: dict[str, Any] = {
    "name": "Read",
    "description": "Reads a file.",
    "input_schema": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"file_path": {"type": "string", "enum": ["a.png", "b.png"]}},
        "required": ["file_path"],
        "additionalProperties": False,
    },
    "cache_control": EPHEMERAL,
}
ASK: dict[str, Any] = {
    "model": "sparrow",
    "max_tokens": 100,
    "temperature": 0,
    "system": [
        {"type": "text", "text": "You are a coding agent.", "cache_control": EPHEMERAL},
        {"type": "text", "text": "Answer in one sentence."},
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "What is Ray?", "cache_control": EPHEMERAL}]},
    ],
    "metadata": {"user_id": "user_0_account__session_0"},
    "tools": [READ],
}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "a.png"}}
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PIXEL).decode()},
}


def turns(*later: dict[str, Any]) -> dict[str, Any]:
    """The first request's messages, and those of later turns."""
    return {"messages": [*ASK["messages"], *later]}


# Parts of requests -> the word by which a refusal has to name what it refuses.
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "first turn": ({}, "messages"),
    "system inside messages": (turns({"role": "system", "content": "Plan mode is on."}), "role"),
    "a tool's text": (
        turns(
            {"role": "assistant", "content": [CALL]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "empty"}]},
        ),
        "content",
    ),
    "a tool's image": (
        turns(
            {"role": "assistant", "content": [CALL]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [IMAGE]}]},
        ),
        "multimodal",
    ),
    "thinking": ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking"),
    "adaptive thinking": ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, "thinking"),
    "thoughts of earlier turns": (
        turns(
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "Well.", "signature": "c2ln"}, CALL]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "empty"}]},
        ),
        "thinking",
    ),
    "context management": ({"context_management": {"edits": []}}, "context_management"),
}


@pytest.fixture
def claude_code(gateway: str) -> Iterator[httpx.Client]:
    """Its HTTP requests, head and path; it sends the key in either header."""
    headers = {
        "authorization": f"Bearer {KEY}",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27",
        "anthropic-dangerous-direct-browser-access": "true",
        "user-agent": "claude-cli/2.0 (external, cli)",
        "x-app": "cli",
        "x-stainless-lang": "js",
    }
    with httpx.Client(base_url=gateway, headers=headers, params={"beta": "true"}, timeout=60) as client:
        yield client


@pytest.mark.parametrize("case", CASES)
def test_a_turn(claude_code: httpx.Client, case: str) -> None:
    parts, word = CASES[case]
    answer = claude_code.post("/v1/messages", json=ASK | parts)
    body = answer.json()
    if answer.status_code == 200:
        assert (body["type"], body["role"]) == ("message", "assistant")
        assert body["content"]
        assert body["usage"]["input_tokens"] > 0
        assert body["usage"]["output_tokens"] > 0
    else:
        assert_refused(answer, word)


@pytest.mark.parametrize("case", CASES)
def test_a_turn_streamed(claude_code: httpx.Client, case: str) -> None:
    parts, word = CASES[case]
    with claude_code.stream("POST", "/v1/messages", json=ASK | parts | {"stream": True}) as answer:
        if answer.status_code != 200:
            answer.read()
            assert_refused(answer, word)
            return
        events = [json.loads(line[5:]) for line in answer.iter_lines() if line.startswith("data:")]
    kinds = [event["type"] for event in events if event["type"] != "ping"]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert events[-2]["usage"]["output_tokens"] > 0


@pytest.mark.parametrize("case", CASES)
def test_tokens_are_counted(claude_code: httpx.Client, case: str) -> None:
    parts, word = CASES[case]
    ask = {
        name: value for name, value in (ASK | parts).items() if name not in ("max_tokens", "temperature", "metadata")
    }
    answer = claude_code.post("/v1/messages/count_tokens", json=ask)
    if answer.status_code == 200:
        assert answer.json()["input_tokens"] > 5
    else:
        assert_refused(answer, word)


def assert_refused(answer: httpx.Response, word: str) -> None:
    """An error in Anthropic's shape that names the field."""
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["type"] == "error"
    assert body["error"].keys() == {"type", "message"}
    assert body["error"]["type"] == "invalid_request_error"
    assert word in body["error"]["message"]
