"""Clients that leave: the engine stops, whether the answer was to be streamed or not, and what it made is charged.

The engine writes a whole answer in a second, eight at once, and on two busy cores a process may wait seconds for its
turn. So many clients leave at once, the engines have less CPU weight than they and the gateway, and `make test` runs
this module where nothing else runs.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.clients import weight
from tests.clients.conftest import KEY, Gateway, Made
from tests.clients.counters import total

MANY, CLIENTS = 2000, 64
STOPPED = MANY * CLIENTS / 2  # tokens; of an engine that hears of it at once a few thousand
HEADERS = {"authorization": f"Bearer {KEY}"}
LIMITS = httpx.Limits(max_connections=CLIENTS)
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


@pytest.fixture(scope="module", autouse=True)
def lowered(models: dict[str, str]) -> Iterator[None]:
    """The engines come last for a CPU."""
    assert models
    with weight.lowered():
        yield


def charged(gateway: Gateway) -> float:
    """Tokens of answers that the gateway has counted for the key."""
    series = "ray_vllm_gateway_tokens_total"
    return total(gateway.metrics, series, model="sparrow", key="clients", kind="completion")


@pytest.mark.parametrize("path", ENDLESS)
async def test_whole_answers_that_are_left(path: str, gateway: str, made: Made) -> None:
    """The sockets are closed while the engine writes, as a client's time-out does."""
    async with httpx.AsyncClient(headers=HEADERS, limits=LIMITS, timeout=0.5) as client:
        ask = {"model": "sparrow"} | ENDLESS[path]
        asked = [client.post(f"{gateway}{path}", json=ask) for _ in range(CLIENTS)]
        found = await asyncio.gather(*asked, return_exceptions=True)
    late = [each for each in found if not isinstance(each, httpx.ReadTimeout)]
    assert [each for each in late if not isinstance(each, httpx.Response) or each.status_code != 200] == []
    assert len(late) < CLIENTS / 4, "they had their answers before they got a CPU to leave"
    assert made() < STOPPED


@pytest.mark.parametrize("path", ENDLESS)
async def test_streams_that_are_left_are_charged(path: str, gateway_process: Gateway, made: Made) -> None:
    """Left after 40 pieces of text; the engine may have put several tokens into each, and have made more since."""
    before, ask = charged(gateway_process), {"model": "sparrow", "stream": True} | ENDLESS[path]

    async def leave() -> None:
        pieces = 0
        async with client.stream("POST", f"{gateway_process.url}{path}", json=ask) as answer:
            async for line in answer.aiter_lines():
                pieces += has_text(line)
                if pieces == 40:
                    break

    async with httpx.AsyncClient(headers=HEADERS, limits=LIMITS, timeout=60) as client:
        await asyncio.gather(*(leave() for _ in range(CLIENTS)))
    tokens = made()
    assert 40 * CLIENTS <= tokens < STOPPED
    assert 40 * CLIENTS <= charged(gateway_process) - before <= tokens


def test_a_stream_of_the_openai_package_that_is_left(client: openai.OpenAI, made: Made) -> None:
    ask: dict[str, Any] = {"model": "sparrow", "messages": MESSAGES, "n": CLIENTS, "max_completion_tokens": MANY}
    with client.chat.completions.create(**ask, extra_body={"ignore_eos": True}, stream=True) as stream:
        next(stream)
    assert made() < STOPPED


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
