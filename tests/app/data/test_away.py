"""The database of vectors away, and back."""

from pathlib import Path

import pytest
from openai import InternalServerError

from .support import FakeGateway, component, config_for, embedding, names, stored, until

NOBODY = "http://127.0.0.1:9"


async def test_it_is_told_and_then_answers_again(tmp_path: Path, gateway: FakeGateway) -> None:
    config = config_for(tmp_path, gateway)
    async with component(config) as running:
        client = running.client()
        store = await client.vector_stores.create()
        await stored(client, store.id, "cats.md", "A cat purrs.")
        await until(lambda: running.value("store_up", store="milvus") == 1)
    away = config | {"vectors": {"kind": "milvus", "url": NOBODY, "timeoutSeconds": 1}}
    async with component(away) as running:
        client = running.client()
        with pytest.raises(InternalServerError, match="database of vectors cannot be reached") as refused:
            await names(client, store.id, "cat", extra_body={"query_vector": embedding("cat")})
        assert (refused.value.status_code, refused.value.code) == (503, "vector_store_unavailable")
        assert refused.value.response.headers["retry-after"] == "5"
        assert running.value("store_up", store="milvus") == 0
        file = await client.files.create(file=("dogs.md", b"A dog barks."), purpose="assistants")
        await client.vector_stores.files.create(store.id, file_id=file.id)
        await until(lambda: len(gateway.asked) >= 1)
        added = await client.vector_stores.files.retrieve(file.id, vector_store_id=store.id)
        assert added.status == "in_progress", "it waits"
        await client.vector_stores.files.delete(file.id, vector_store_id=store.id)
        assert (await client.vector_stores.retrieve(store.id)).file_counts.total == 1, "it can be taken back meanwhile"
        file = await client.files.create(file=("birds.md", b"A bird sings."), purpose="assistants")
        await client.vector_stores.files.create(store.id, file_id=file.id)
    async with component(config) as running:
        client = running.client()
        assert await names(client, store.id, "a cat") == ["cats.md"]
        await until(lambda: _found(client, store.id, "birds.md"))


async def _found(client: object, store_id: str, name: str) -> bool:
    return name in await names(client, store_id, "bird")  # type: ignore[arg-type]
