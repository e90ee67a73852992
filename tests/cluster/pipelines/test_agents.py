"""An agent on owl, which was trained to call a tool, and a real MCP server in a pod."""

import json
import time
from typing import Any

import openai
import pytest
import yaml
from openai import OpenAI

from tests.cluster.figures import note
from tests.cluster.kube import wait_until
from tests.cluster.pipelines.conftest import Tools
from tests.cluster.pipelines.programs import ask_as_frameworks_do
from tests.cluster.stack import ROOT, Stack

TOOL = yaml.safe_load((ROOT / "tests/models/tool.yaml").read_text())


def asked(client: OpenAI, model: str = "forecaster", **more: Any) -> dict[str, Any]:
    """A completion's JSON."""
    messages: Any = [{"role": "user", "content": TOOL["ask"]}]
    return client.chat.completions.create(model=model, messages=messages, temperature=0, **more).model_dump()


@pytest.mark.parametrize("word", TOOL["results"])
def test_it_calls_the_tool_and_answers_from_its_result(client: OpenAI, tools: Tools, word: str) -> None:
    tools.behave(word)
    answer = asked(client)
    (step,) = answer["steps"]
    assert (step["source"], step["name"]) == ("weather", TOOL["name"])
    assert json.loads(step["arguments"]) == TOOL["arguments"]
    assert (step["output"], step["failed"]) == (word, False)
    assert answer["choices"][0]["message"]["content"] == TOOL["answer"].format(result=word)


def test_a_stream_shows_the_steps(client: OpenAI, tools: Tools) -> None:
    tools.behave("sunny")
    began = time.monotonic()
    with client.responses.stream(model="forecaster", input=TOOL["ask"], temperature=0) as stream:
        kinds = []
        for event in stream:
            if event.type == "response.mcp_call.completed":
                note(f"agent: a tool's result {time.monotonic() - began:.2f} s after the question")
            kinds.append(event.type)
        response = stream.get_final_response()
    assert kinds.index("response.mcp_call.completed") < kinds.index("response.output_text.delta")
    assert response.output_text == TOOL["answer"].format(result="sunny")
    assert response.usage
    assert response.usage.total_tokens > 0
    again = client.responses.create(
        model="forecaster", input=TOOL["ask"], previous_response_id=response.id, temperature=0
    )
    assert again.usage
    assert again.usage.input_tokens > response.usage.input_tokens, "the conversation went on"
    with pytest.raises(openai.NotFoundError) as caught:
        client.responses.create(model="forecaster", input="Hello", previous_response_id="resp_" + "0" * 32)
    assert caught.value.code == "previous_response_not_found"


def test_frameworks_ask_it_as_a_model(stack: Stack, tools: Tools) -> None:
    tools.behave("cloudy")
    texts = ask_as_frameworks_do(stack, "forecaster", TOOL["ask"])
    assert set(texts.values()) == {TOOL["answer"].format(result="cloudy")}


def test_a_tool_that_fails_ends_nothing(client: OpenAI, tools: Tools) -> None:
    tools.behave("fails")
    answer = asked(client, max_tokens=64)
    step = answer["steps"][0]
    assert step["failed"]
    assert "no station in Rome answers" in step["output"]
    assert answer["choices"][0]["finish_reason"] in ("stop", "length")


def test_a_step_limit(client: OpenAI, tools: Tools) -> None:
    tools.behave("rainy")
    answer = asked(client, "hasty")
    assert (answer["limit"], answer["choices"][0]["finish_reason"]) == ("steps", "length")
    assert [step["output"] for step in answer["steps"]] == ["rainy"]


def test_a_client_that_leaves_ends_the_tools_work(client: OpenAI, tools: Tools) -> None:
    tools.behave("waits")
    before = tools.calls()
    messages: Any = [{"role": "user", "content": TOOL["ask"]}]
    stream = client.chat.completions.create(model="forecaster", messages=messages, temperature=0, stream=True)
    next(chunk for chunk in stream if chunk.model_dump().get("step"))
    wait_until("the call to begin", 30, lambda: tools.calls()["begun"] == before["begun"] + 1)
    stream.close()
    began = time.monotonic()
    wait_until("the call to end", 20, lambda: tools.calls()["ended"] == before["ended"] + 1)
    note(f"agent: a tool's work ends {time.monotonic() - began:.1f} s after its client left")


def test_tools_that_are_away_are_a_clear_503(stack: Stack, client: OpenAI, tools: Tools) -> None:
    tools.behave("sunny")

    def code() -> str | None:
        try:
            asked(client)
        except openai.InternalServerError as error:
            return f"{error.status_code} {error.code}"
        return "answered"

    stack.kubectl("label", "pod/tools", "app-")  # out of the Service, once every node has heard of it
    try:
        wait_until("the tools to be away", 30, lambda: code() == "503 tools_unavailable")
    finally:
        stack.kubectl("label", "pod/tools", "app=tools")
    wait_until("the tools to be back", 30, lambda: code() == "answered")
