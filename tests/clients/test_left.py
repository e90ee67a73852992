"""Clients that leave: the engine stops, whether the answer was to be streamed or not, and what it made is charged."""

import json
from typing import Any

import httpx
import pytest

from tests.clients.conftest import KEY, Gateway, Made
from tests.clients.counters import total

MANY = 2000
HEADERS = {"authorization": f"Bearer {KEY}"}
MESSAGES = [{"role": "user", "content": "What is Ray?"}]
# Anthropic's API has no ignore_eos: a tool's argument that has to be long does the same.
TEXT = {"type": "object", "properties": {"text": {"type": "string", "minLength": 1500}}, "required": ["text"]}
ENDLESS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES, "max_tokens": MANY, "ignore_eos": True},
    "/v1/completions": {"prompt": "What is Ray?", "max_tokens": MANY, "ignore_eos": True},
    "/v1/responses": {"input": "What is Ray?", "max_output_tokens": MANY, "ignore_eos": True},
    "/v1/messages": {
        "messages": MESSAGES,
        "max_tokens": MANY,
        "tools": [{"name": "write", "input_schema": TEXT | {"additionalProperties": False}}],
        "tool_choice": {"type": "tool", "name": "write"},
    },
}


def charged(gateway: Gateway) -> float:
    """Tokens of answers that the gateway has counted for the key."""
    series = "ray_vllm_gateway_tokens_total"
    return total(gateway.metrics, series, model="sparrow", key="clients", kind="completion")


@pytest.mark.parametrize("path", ENDLESS)
def test_a_whole_answer_that_is_left(path: str, gateway: str, made: Made) -> None:
    """The socket is closed while the engine writes, as a client's time-out does. A whole answer takes a second."""
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{gateway}{path}", headers=HEADERS, json={"model": "sparrow"} | ENDLESS[path], timeout=0.5)
    assert made() < MANY * 3 / 4


@pytest.mark.parametrize("path", ENDLESS)
def test_a_stream_that_is_left_is_charged(path: str, gateway_process: Gateway, made: Made) -> None:
    """Left after 40 pieces of text; the engine may have put several tokens into each, and have made more since."""
    before, pieces = charged(gateway_process), 0
    ask = {"model": "sparrow", "stream": True} | ENDLESS[path]
    with httpx.stream("POST", f"{gateway_process.url}{path}", headers=HEADERS, json=ask, timeout=60) as answer:
        for line in answer.iter_lines():
            pieces += has_text(line)
            if pieces == 40:
                break
    tokens = made()
    assert 40 <= tokens < MANY, "the engine stopped"
    assert 40 <= charged(gateway_process) - before <= tokens


def test_a_stream_that_is_left_shortly_before_its_end_is_charged(gateway_process: Gateway, made: Made) -> None:
    """Whoever hangs up before the last event, which has the usage, pays like everyone else."""
    before, read = charged(gateway_process), 0
    # The ids say how many tokens an event stands for.
    ask = ENDLESS["/v1/chat/completions"] | {"model": "sparrow", "stream": True, "return_token_ids": True}
    url = f"{gateway_process.url}/v1/chat/completions"
    with httpx.stream("POST", url, headers=HEADERS, json=ask | {"max_tokens": 300}, timeout=60) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                read += sum(len(choice.get("token_ids") or ()) for choice in json.loads(line[6:])["choices"])
            if read >= 250:
                break
    assert 250 <= read <= made() <= 300
    assert charged(gateway_process) - before >= read


def has_text(line: str) -> bool:
    """Whether an event of any of the four APIs carries a part of the answer."""
    if not line.startswith("data: {"):
        return False
    event = json.loads(line[6:])
    match event:
        case {"choices": [{"delta": {"content": str(text)}}]} | {"choices": [{"text": str(text)}]}:
            return bool(text)
        case {"type": "response.output_text.delta", "delta": str(text)}:
            return bool(text)
        case {"type": "content_block_delta", "delta": {"partial_json": str(text)}}:
            return bool(text)
    return False
