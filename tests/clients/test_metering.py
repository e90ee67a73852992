"""The gateway counts the tokens that the engine itself has counted, whatever the API, to the last one."""

import time
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from tests.clients.conftest import KEY, Gateway
from tests.clients.counters import total
from tests.clients.test_anthropic import ASK as MESSAGE
from tests.clients.test_openai import ASK as CHAT
from tests.clients.test_openai import RAY
from tests.clients.test_responses import ASK as RESPONSE

LONG: Any = [{"role": "user", "content": "What is Ray Serve? " * 60}]
COMPLETION: dict[str, Any] = {"model": "sparrow", "prompt": f"Question: {RAY}\nAnswer:", "max_tokens": 40}
ENGINE = {"prompt": "vllm:prompt_tokens_total", "completion": "vllm:generation_tokens_total"}
ASKED: dict[str, Callable[[openai.OpenAI, anthropic.Anthropic], object]] = {
    "chat": lambda openai, _: openai.chat.completions.create(**CHAT),
    "chat, streamed": lambda openai, _: list(openai.chat.completions.create(**CHAT, stream=True)),
    "chat, usage asked for": lambda openai, _: list(
        openai.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})
    ),
    "completion": lambda openai, _: openai.completions.create(**COMPLETION),
    "completion, streamed": lambda openai, _: list(openai.completions.create(**COMPLETION, stream=True)),
    "response": lambda openai, _: openai.responses.create(**RESPONSE),
    "response, streamed": lambda openai, _: list(openai.responses.create(**RESPONSE, stream=True)),
    "message": lambda _, claude: claude.messages.create(**MESSAGE),
    "message, streamed": lambda _, claude: list(claude.messages.create(**MESSAGE, stream=True)),
    "long, then cached": lambda openai, claude: [
        openai.chat.completions.create(**CHAT | {"messages": LONG}),
        list(openai.chat.completions.create(**CHAT | {"messages": LONG}, stream=True)),
        openai.responses.create(**RESPONSE | {"input": LONG}),
        claude.messages.create(**MESSAGE | {"messages": LONG}),
        list(claude.messages.create(**MESSAGE | {"messages": LONG}, stream=True)),
    ],
    "nothing, tokens are only counted": lambda _, claude: claude.messages.count_tokens(
        model="sparrow", messages=MESSAGE["messages"]
    ),
}


@pytest.mark.parametrize("asked", ASKED)
def test_tokens(asked: str, gateway_process: Gateway, models: dict[str, str], client: openai.OpenAI) -> None:
    engine = models["sparrow"]

    def engines() -> dict[str, float]:
        counted = {kind: total(engine, series) for kind, series in ENGINE.items()}
        return counted | {"cached": total(engine, "vllm:prefix_cache_hits_total")}

    def gateways() -> dict[str, float]:
        series = "ray_vllm_gateway_tokens_total"
        kinds = ("prompt", "cached", "completion")
        counted = {
            kind: total(gateway_process.metrics, series, model="sparrow", key="clients", kind=kind) for kind in kinds
        }
        return counted | {"prompt": counted["prompt"] + counted["cached"]}  # the engine's prompt has both

    def more(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
        return {kind: after[kind] - before[kind] for kind in before}

    before = engines(), gateways()
    with anthropic.Anthropic(base_url=gateway_process.url, api_key=KEY, max_retries=0) as claude:
        ASKED[asked](client, claude)
    deadline = time.monotonic() + 5  # the engine writes its numbers down after it has answered
    while (counted := (more(before[0], engines()), more(before[1], gateways())))[0] != counted[1]:
        assert time.monotonic() < deadline, counted
        time.sleep(0.05)
    nothing = asked.startswith("nothing")
    assert (counted[0]["completion"] > 0) is not nothing
    assert (counted[0]["cached"] > 0) is ("cached" in asked)


def test_embedded_tokens(gateway_process: Gateway, client: openai.OpenAI) -> None:
    def counted() -> float:
        return total(gateway_process.metrics, "ray_vllm_gateway_tokens_total", model="embedder", kind="prompt")

    before = counted()
    usage = client.embeddings.create(model="embedder", input=["a bird", "a plane"]).usage
    assert counted() - before == usage.prompt_tokens > 0
