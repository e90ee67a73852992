"""Documents on their way into stores: kills, several replicas, failures, and stores that are declared."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from openai import NotFoundError, PermissionDeniedError
from sqlalchemy import select

from serve_app.data import database
from serve_app.data.caller import Caller
from serve_app.data.database import store_files
from serve_app.data.ingest.leases import Leases, LostError

from .conftest import Start
from .support import FakeGateway, names, stored, until

LONG = "\n\n".join(f"Paragraph {n} says that the number after it is {n + 1}." for n in range(40))
SMALL: Any = {"type": "static", "static": {"max_chunk_size_tokens": 16, "chunk_overlap_tokens": 0}}
INGEST = {"batchSize": 4, "concurrency": 2, "leaseSeconds": 60}


async def _status(client: Any, store_id: str) -> str:
    return str((await client.vector_stores.files.list(store_id)).data[0].status)


async def test_a_component_that_ends_goes_on_where_it_was(start: Start, gateway: FakeGateway) -> None:
    gateway.gate = asyncio.Event()
    async with start(ingest=INGEST) as first:
        client = first.client()
        store = await client.vector_stores.create()
        file = await client.files.create(file=("long.txt", LONG.encode()), purpose="assistants")
        await client.vector_stores.files.create(store.id, file_id=file.id, chunking_strategy=SMALL)
        await until(lambda: len(gateway.asked) == 2)  # one batch is in the store, the second is being embedded
        gateway.gate.set()
        gateway.failures = [(503, "away")] * 2
    done = len(gateway.asked[0]["input"])
    gateway.failures.clear()
    async with start(ingest=INGEST) as second:
        client = second.client()
        await until(lambda: _is(client, store.id, "completed"))
        page = client.vector_stores.files.content(file.id, vector_store_id=store.id)
        parts = [part.text or "" async for part in page]
        assert "\n\n".join(parts) == LONG
    assert gateway.texts.count(parts[0]) == 1, "the first batch was not embedded again"
    assert done == 4


async def test_two_replicas_share_the_work(postgres_url: str, gateway: FakeGateway, tmp_path: Path) -> None:
    from .support import component, config_for

    config = config_for(tmp_path, gateway, ingest=INGEST) | {"vectors": {"kind": "pgvector"}}
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(component(config, database_url=postgres_url)) for _ in range(2)]
        clients = [replica.client() for replica in replicas]
        store = await clients[0].vector_stores.create()
        for number in range(12):
            name = (f"{number}.txt", f"document {number}".encode())
            file = await clients[number % 2].files.create(file=name, purpose="assistants")
            await clients[number % 2].vector_stores.files.create(store.id, file_id=file.id)
        await until(lambda: _count(clients[0], store.id, 12))
        assert sorted(gateway.texts) == sorted(f"document {number}" for number in range(12)), "each once"
        done = [replica.value("files_ingested_total", status="completed") or 0 for replica in replicas]
        assert sum(done) == 12


async def test_a_lease_that_is_over_is_another_s(tmp_path: Path) -> None:
    async with database.opened(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}") as engine:
        async with engine.begin() as connection:
            await connection.execute(store_files.insert().values(_row("file-1")))
        leases = Leases(engine, 60)
        mine = await leases.take()
        assert mine is not None
        assert await leases.take() is None, "it is taken"
        async with engine.begin() as connection:
            await connection.execute(store_files.update().values(lease_ms=0))  # its holder was killed
        theirs = await leases.take()
        assert theirs is not None
        with pytest.raises(LostError):
            await leases.keep(mine, chunks=4)
        await leases.keep(theirs, chunks=8)
        async with engine.connect() as connection:
            assert await connection.scalar(select(store_files.c.chunks)) == 8


async def test_a_model_that_is_away_is_asked_again(start: Start, gateway: FakeGateway) -> None:
    gateway.failures = [(503, "starting")]
    async with start() as running:
        client = running.client()
        store = await client.vector_stores.create()
        await stored(client, store.id, "a.txt", "a cat")
        assert len(gateway.asked) == 2


async def test_what_a_model_cannot_read_at_once_is_known_by_its_beginning(start: Start, gateway: FakeGateway) -> None:
    gateway.context = 20
    async with start() as running:
        client = running.client()
        store = await client.vector_stores.create()
        await stored(client, store.id, "a.txt", "a cat and a dog, then much more that nobody embeds")
        found = await client.vector_stores.search(store.id, query="cat dog", max_num_results=1)
        assert found.data[0].content[0].text.endswith("nobody embeds"), "the text is kept whole"
        assert [asked.get("truncate_prompt_tokens") for asked in gateway.asked] == [None, -1, None]


async def test_what_a_model_refuses_fails(start: Start, gateway: FakeGateway) -> None:
    gateway.failures = [(404, "There is no model minilm.")]
    async with start() as running:
        client = running.client()
        store = await client.vector_stores.create()
        file = await client.files.create(file=("a.txt", b"x"), purpose="assistants")
        added = await client.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id, poll_interval_ms=30)
        assert added.status == "failed"
        assert added.last_error
        assert added.last_error.message == "There is no model minilm."
        assert (await client.vector_stores.retrieve(store.id)).file_counts.failed == 1


async def test_a_batch_that_is_cancelled_stops(start: Start, gateway: FakeGateway) -> None:
    gateway.gate = asyncio.Event()
    async with start(ingest=INGEST | {"concurrency": 1}) as running:
        client = running.client()
        store = await client.vector_stores.create()
        files = [await client.files.create(file=(f"{n}.txt", LONG.encode()), purpose="assistants") for n in range(2)]
        ids = [file.id for file in files]
        batch = await client.vector_stores.file_batches.create(store.id, file_ids=ids, chunking_strategy=SMALL)
        await until(lambda: len(gateway.asked) == 2)
        await client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
        gateway.gate.set()
        batch = await client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id)
        assert (batch.status, batch.file_counts.cancelled) == ("cancelled", 2)
        assert await names(client, store.id, "paragraph") == []
        asked = len(gateway.asked)
        await asyncio.sleep(0.3)
        assert len(gateway.asked) <= asked


async def test_a_declared_store(start: Start, gateway: FakeGateway) -> None:
    stores: Any = {"handbook": {"embed": "minilm", "writers": ["ci"], "description": "What everybody asks"},
              "secret": {"embed": "minilm", "team": "search"}}  # fmt: skip
    async with start(stores=stores) as running:
        writer, reader = running.client(key="ci", team="search"), running.client(key="x", team="ads")
        await stored(writer, "vs_handbook", "cats.md", "A cat purrs.")
        assert await names(reader, "vs_handbook", "cat") == ["cats.md"]
        assert [store.id async for store in reader.vector_stores.list()] == ["vs_handbook"]
        assert {store.id async for store in writer.vector_stores.list()} == {"vs_handbook", "vs_secret"}
        with pytest.raises(NotFoundError):
            await reader.vector_stores.retrieve("vs_secret")
        file = await reader.files.create(file=("a.txt", b"x"), purpose="assistants")
        with pytest.raises(PermissionDeniedError, match="read-only for you"):
            await reader.vector_stores.files.create("vs_handbook", file_id=file.id)
        with pytest.raises(PermissionDeniedError, match="declared in the chart's values"):
            await writer.vector_stores.delete("vs_handbook")
    gateway.dimensions = 64
    stores["handbook"]["embed"] = "other"
    async with start(stores=stores) as running:
        client = running.client(key="x", team="ads")
        await until(lambda: _count(client, "vs_handbook", 1))
        store = await client.vector_stores.retrieve("vs_handbook")
        assert (store.to_dict()["embedding_model"], store.to_dict()["dimensions"]) == ("other", 64)
        assert await names(client, "vs_handbook", "cat") == ["cats.md"]
        assert gateway.asked[-2]["model"] == "other"


async def _is(client: Any, store_id: str, status: str) -> bool:
    return await _status(client, store_id) == status


async def _count(client: Any, store_id: str, count: int) -> bool:
    return bool((await client.vector_stores.retrieve(store_id)).file_counts.completed == count)


def _row(file_id: str) -> dict[str, Any]:
    zero = ("usage_bytes", "chunks", "attempts", "next_ms", "lease_ms", "created_ms", "overlap_tokens")
    texts = {"store_id": "vs_a", "file_id": file_id, "filename": "a.txt", "status": "in_progress"}
    more = {"caller": Caller().as_json(), "attributes": {}, "max_tokens": 16, "static": False}
    return texts | more | dict.fromkeys(zero, 0)
