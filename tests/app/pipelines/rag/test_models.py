"""Models that find documents: by handle, and through the gateway."""

from typing import Any

import pytest

from serve_app.pipelines.errors import ApiError
from serve_app.pipelines.rag.models import ByHandle, ThroughGateway
from serve_app.pipelines.service import ServiceClient
from serve_app.settings.pipeline import Service

from ..support import Backend


def handle(answer: dict[str, Any], calls: list[Any]) -> ByHandle:
    async def call(method: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        calls.append((method, arguments))
        return answer

    return ByHandle(call)


async def test_by_handle() -> None:
    calls: list[Any] = []
    embedded = await handle({"vectors": [[0.5, 1.0]], "tokens": 3}, calls).embed("owl", {"traceparent": "t"})
    assert (embedded.vector, embedded.tokens) == ([0.5, 1.0], 3)
    scored = await handle({"scores": [0.25], "tokens": 9}, calls).score("owl?", ["owl"], {})
    assert (scored.scores, scored.tokens) == ([0.25], 9)
    assert calls == [("embed_texts", (["owl"], {"traceparent": "t"})), ("score_texts", ("owl?", ["owl"], {}))]


@pytest.mark.parametrize(("status", "told"), [(400, 400), (500, 503)])
async def test_refusal_of_a_replica(status: int, told: int) -> None:
    with pytest.raises(ApiError, match="too long") as caught:
        await handle({"error": "too long", "status": status}, []).embed("owl", {})
    assert caught.value.status == told


async def test_through_the_gateway() -> None:
    backend = Backend({"data": [{"index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 2, "total_tokens": 2}})
    async with backend.served() as url:
        client = ServiceClient(Service(url=url), "The gateway", code="x")
        embedded = await ThroughGateway(client, "minilm").embed("owl", {"traceparent": "t"})
        backend.answer = {
            "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
            "usage": {"total_tokens": 8},
        }
        scored = await ThroughGateway(client, "ranker").score("owl?", ["a", "b"], {})
        await client.close()
    assert (embedded.vector, embedded.tokens) == ([0.5], 2)
    assert (scored.scores, scored.tokens) == ([0.1, 0.9], 8)
    assert [asked["path"] for asked in backend.asked] == ["/v1/embeddings", "/v1/rerank"]
    assert backend.headers[0]["traceparent"] == "t"
