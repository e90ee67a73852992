"""A RAG pipeline's way to the component: with the question's vector, as the store's team, on each kind of store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from serve_app.pipelines.measures import Measures
from serve_app.pipelines.rag.models import Embedded
from serve_app.pipelines.rag.retriever import Retriever
from serve_app.pipelines.rag.search import AWAY, StoreSearch
from serve_app.pipelines.rag.source import Query
from serve_app.pipelines.service import ServiceClient
from serve_app.pipelines.tracing import Carrier, Tracing
from serve_app.settings.pipeline import RagSettings

from .support import PIPELINE_TOKEN, Component, embedding, stored

ASK = "When do owls hunt?"
STORES = {"handbook": {"team": "search", "embed": "minilm"}}


class Embedder:
    """The model that the documents are embedded by."""

    async def embed(self, text: str, trace: Carrier) -> Embedded:
        return Embedded(embedding(text), 1)


@asynccontextmanager
async def retriever(running: Component, folder: Path, **more: Any) -> AsyncIterator[Retriever]:
    token = folder / "token"
    token.write_text(PIPELINE_TOKEN)
    args = {
        "pipeline_id": "docs",
        "data": {"url": running.url, "token_file": str(token)},
        "gateway": {"url": "http://127.0.0.1:9"},
        "store": {"id": "vs_handbook", "team": "search"},
        "embed": {"model": "minilm"},
        "generate": "smollm2",
        "prompt": "{documents} {question}",
        "not_found": "Nothing.",
        "versions": {"ray": "1", "vllm": "1"},
    }
    settings = RagSettings.parse(args | more)
    client = ServiceClient(settings.data, "The store of documents", code=AWAY)
    search = StoreSearch(client, settings.store, hybrid=settings.hybrid)
    yield Retriever(
        settings, embedder=Embedder(), search=search, scorer=None, tracing=Tracing(None), measures=Measures()
    )
    await client.close()


@pytest.mark.parametrize("hybrid", [False, True])
async def test_finds(
    start: Callable[..., AbstractAsyncContextManager[Component]], tmp_path: Path, hybrid: bool
) -> None:
    languages = {"type": "in", "key": "lang", "value": ["en", "de"]}
    async with start(stores=STORES) as running:
        client = running.client()
        await stored(client, "vs_handbook", "owls.md", "Owls hunt mice at night.", lang="en")
        await stored(client, "vs_handbook", "bonds.md", "Bonds yield interest.", lang="de")
        await stored(client, "vs_handbook", "hiboux.md", "When do owls hunt? Quand?", lang="fr")
        async with retriever(running, tmp_path, hybrid=hybrid, filters=languages) as retrieve:
            found = await retrieve(Query(ASK))
            german = await retrieve(Query(ASK, filters={"type": "eq", "key": "lang", "value": "de"}))
            nothing = await retrieve(Query(ASK, filters={"type": "eq", "key": "lang", "value": "fr"}))
    assert found.sources[0].filename == "owls.md"
    assert found.sources[0].text == "Owls hunt mice at night."
    assert found.sources[0].attributes == {"lang": "en"}
    assert 0 < found.sources[0].score <= 1
    assert "hiboux.md" not in [source.filename for source in found.sources]
    assert [source.filename for source in german.sources] == ["bonds.md"]
    assert nothing.sources == ()


async def test_min_score(start: Callable[..., AbstractAsyncContextManager[Component]], tmp_path: Path) -> None:
    async with start(stores=STORES) as running:
        await stored(running.client(), "vs_handbook", "bonds.md", "Bonds yield interest.")
        async with retriever(running, tmp_path, min_score=0.9) as retrieve:
            assert (await retrieve(Query(ASK))).sources == ()
            assert (await retrieve(Query("Bonds yield interest."))).sources


async def test_its_token_searches_what_is_declared_and_nothing_else(
    start: Callable[..., AbstractAsyncContextManager[Component]], tmp_path: Path
) -> None:
    async with start(stores=STORES) as running:
        client = running.client()
        await stored(client, "vs_handbook", "bonds.md", "Bonds yield interest.")
        own = await client.vector_stores.create(name="own")
        file = await stored(client, own.id, "secret.md", "Nobody else reads this.")
        headers = {"authorization": f"Bearer {PIPELINE_TOKEN}", "x-gateway-team": "search", "x-gateway-key": "ci"}
        asked = {"query": "this", "query_vector": embedding("this")}
        async with httpx.AsyncClient(base_url=running.url, headers=headers) as pipeline:
            assert (await pipeline.post("/v1/vector_stores/vs_handbook/search", json=asked)).status_code == 200
            for answer in (
                await pipeline.post(f"/v1/vector_stores/{own.id}/search", json=asked),
                await pipeline.post("/v1/vector_stores/vs_handbook/search", json={"query": "this"}),
            ):
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "pipeline_token")
            for path in ("/v1/files", f"/v1/files/{file}/content", "/v1/vector_stores", "/v1/batches"):
                assert (await pipeline.get(path)).status_code == 401
