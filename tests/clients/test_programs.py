"""Programs as users of LangChain, LlamaIndex and the openai npm package write them."""

import math
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


def test_langchain(program: Program, answers: dict[str, str]) -> None:
    printed = program("langchain_app.py")
    assert printed["invoke"] == printed["responses"] == printed["anthropic"] == answers[RAY]
    for usage in (printed["usage"], printed["stream usage"]):
        assert (usage["input_tokens"], usage["output_tokens"]) == (6, 16)
    assert "".join(printed["stream"]) == answers[RAY]
    assert "".join(printed["anthropic stream"]) == answers[RAY]
    assert len(printed["long stream"]) > 10
    assert printed["tool"]["name"] == "legs"
    assert isinstance(printed["tool"]["args"]["count"], int)
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
    assert printed["tool"]["name"] == "legs"
    assert isinstance(printed["tool"]["args"]["count"], int)
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
        assert call["name"] == "legs"
        assert isinstance(call["args"]["count"], int)
    assert isinstance(printed["structured"]["count"], int)
    assert_embeddings(printed["embeddings"])
    assert set(printed["models"]) == set(TASKS)
    assert printed["model"] == "sparrow"
    assert printed["unknown"] == error(404, "model_not_found")
    assert printed["refused"] == error(401, "invalid_api_key")


def error(status: int, code: str) -> dict[str, Any]:
    """What the program says of an error of the right class that carries a request id."""
    return {"right": True, "status": status, "code": code, "id": True}
