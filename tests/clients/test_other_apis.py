"""APIs that the openai and anthropic packages have no call for: rerank, score, tokenize; over plain HTTP."""

from collections.abc import Iterator

import httpx
import pytest

from tests.clients.conftest import KEY

DOCUMENTS = ["Hello", "What is Ray", "vLLM"]


@pytest.fixture
def http(gateway: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway, headers={"authorization": f"Bearer {KEY}"}, timeout=60) as client:
        yield client


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_rerank(http: httpx.Client, path: str) -> None:
    """Jina's and Cohere's API."""
    ask = {"model": "reranker", "query": "What is Ray?", "documents": DOCUMENTS, "top_n": 2}
    answer = http.post(path, json=ask).raise_for_status().json()
    scores = [result["relevance_score"] for result in answer["results"]]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    assert [result["document"]["text"] for result in answer["results"]] == [
        DOCUMENTS[result["index"]] for result in answer["results"]
    ]
    assert answer["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("path", ["/score", "/v1/score"])
def test_score(http: httpx.Client, path: str) -> None:
    ask = {"model": "reranker", "text_1": "What is Ray?", "text_2": ["What is Ray?", "Hello"]}
    same, other = http.post(path, json=ask).raise_for_status().json()["data"]
    assert same["score"] == pytest.approx(1, abs=1e-2)
    assert other["score"] < 0.9


@pytest.mark.parametrize("model", ["sparrow", "embedder"])
def test_tokenize_and_back(http: httpx.Client, model: str) -> None:
    text = "What is Ray Serve?"
    tokens = http.post("/tokenize", json={"model": model, "prompt": text}).raise_for_status().json()
    assert tokens["count"] == len(tokens["tokens"]) > 1
    back = http.post("/detokenize", json={"model": model, "tokens": tokens["tokens"]}).raise_for_status().json()
    assert back["prompt"] == text


@pytest.mark.parametrize("path", ["/rerank", "/score", "/tokenize", "/detokenize", "/v1/embeddings"])
def test_an_unknown_model(http: httpx.Client, path: str) -> None:
    answer = http.post(path, json={"model": "swan"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


def test_a_model_that_is_for_something_else(http: httpx.Client) -> None:
    answer = http.post("/rerank", json={"model": "sparrow", "query": "a", "documents": ["b"]})
    assert answer.status_code in (400, 404)
    assert "reranker" in answer.json()["error"]["message"]
