"""Programs as users of LangChain, LlamaIndex, instructor, the openai npm package and Java's HTTP client write them."""

import json
import math
import re
from typing import Any

import pytest

from tests.clients.conftest import TASKS, Program
from tests.clients.test_openai import RAY

TOKENS = {"prompt_tokens": 6, "completion_tokens": 16, "total_tokens": 22}


def assert_embeddings(documents: list[list[float]], query: list[float] | None = None) -> None:
    """Each of the model's width and of length 1; the two differ, and a query is embedded as a document is."""
    for vector in documents:
        assert len(vector) == 128
        assert math.hypot(*vector) == pytest.approx(1, abs=1e-3)
    assert documents[0] != pytest.approx(documents[1], abs=1e-3)
    assert query is None or query == pytest.approx(documents[0], abs=1e-3)


def assert_weather(call: dict[str, Any]) -> None:
    """A call of the only tool. A number would do too, but a model as small as this one writes digits without end."""
    assert call in [{"name": "weather", "args": {"city": city}} for city in ("Rome", "Oslo")]


def test_langchain(program: Program, answers: dict[str, str]) -> None:
    printed = program("langchain_app.py")
    assert printed["invoke"] == printed["responses"] == printed["anthropic"] == answers[RAY]
    for usage in (printed["usage"], printed["stream usage"]):
        assert (usage["input_tokens"], usage["output_tokens"]) == (6, 16)
    assert "".join(printed["stream"]) == answers[RAY]
    assert "".join(printed["anthropic stream"]) == answers[RAY]
    assert len(printed["long stream"]) > 10
    assert_weather(printed["tool"])
    assert printed["after the tool"] == answers["What is vLLM?"]
    assert printed["structured"] in ({"clear": True}, {"clear": False})
    assert_embeddings(printed["embeddings"], printed["query"])


def test_llama_index(program: Program, answers: dict[str, str]) -> None:
    printed = program("llama_index_app.py")
    assert printed["chat"] == printed["async"] == answers[RAY]
    assert printed["complete"] == f" {answers[RAY]}"
    assert "".join(printed["stream"]) == answers[RAY]
    assert "".join(printed["stream of a completion"]) == f" {answers[RAY]}"
    assert len(printed["long stream"]) > 10
    assert len(printed["long stream of a completion"]) > 10
    assert_weather(printed["tool"])
    assert_embeddings(printed["embeddings"], printed["query"])


def test_openai_for_node(program: Program, answers: dict[str, str]) -> None:
    printed = program("openai_app.mjs")
    assert printed["chat"] == printed["response"] == printed["retrieved"] == answers[RAY]
    assert "".join(printed["stream"]) == answers[RAY]
    assert "".join(printed["responseStream"]) == answers[RAY]
    assert len(printed["longStream"]) > 10
    assert len(printed["longResponseStream"]) > 10
    assert printed["usage"].items() >= TOKENS.items()
    for call in (printed["tool"], printed["toolStream"]):
        assert_weather(call)
    assert printed["structured"]["city"] in ("Rome", "Oslo")
    assert_embeddings(printed["embeddings"])
    assert set(printed["models"]) == set(TASKS)
    assert printed["model"] == "sparrow"
    assert printed["unknown"] == error(404, "model_not_found")
    assert printed["refused"] == error(401, "invalid_api_key")


def test_instructor(program: Program) -> None:
    printed = program("instructor_app.py")
    for bird in (printed["tools"], printed["schema"], printed["partial"]):
        assert bird["name"] in ("owl", "sparrow")
        assert isinstance(bird["can_fly"], bool)
    assert printed["pieces"] > 1
    assert printed["unknown model"] == "NotFoundError model_not_found"
    assert printed["too long"] == "BadRequestError context_length_exceeded"


def test_java(program: Program, answers: dict[str, str]) -> None:
    """With its defaults, which ask for an upgrade to HTTP/2 with each request."""
    printed = program("JavaApp.java")
    assert set(re.findall(r'"id": ?"([a-z]+)"', printed["models"])) == set(TASKS)
    for name in ("first", "second", "expect", "chunked", "async"):
        version, status, body = printed[name].split(" ", 2)
        assert (version, status) == ("HTTP_1_1", "200")
        assert json.loads(body)["choices"][0]["message"]["content"] == answers[RAY]
    events = [json.loads(line[6:]) for line in printed["stream"].splitlines() if line.startswith("data: {")]
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in events) == answers[RAY]
    assert printed["stream"].endswith("data: [DONE]\n")
    assert printed["2 MB"].startswith("HTTP_1_1 400 ")
    assert "context length is 2048" in printed["2 MB"]
    assert printed["bad key"].startswith("HTTP_1_1 401 ")
    assert printed["left"].startswith("data: {")


def error(status: int, code: str) -> dict[str, Any]:
    """What the program says of an error of the right class that carries a request id."""
    return {"right": True, "status": status, "code": code, "id": True}
