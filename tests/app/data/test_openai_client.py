"""OpenAI's own client, unmodified, against the component."""

from typing import Any

import pytest
from openai import APIStatusError, BadRequestError, NotFoundError

from .support import Component, FakeGateway, names, stored, until

CATS = "# Cats\n\nA cat purrs when it is content, and sleeps sixteen hours a day.\n"
TRAINS = "# Trains\n\nThe night train to Vienna leaves from platform seven.\n"


async def test_a_file_comes_back_as_it_was(running: Component) -> None:
    client = running.client()
    made = await client.files.create(file=("a b.md", CATS.encode()), purpose="assistants")
    assert (made.filename, made.bytes, made.purpose) == ("a b.md", len(CATS), "assistants")
    assert await client.files.retrieve(made.id) == made
    assert (await client.files.content(made.id)).content == CATS.encode()
    assert [file.id async for file in client.files.list(purpose="assistants")] == [made.id]
    assert (await client.files.delete(made.id)).deleted
    with pytest.raises(NotFoundError, match="There is no file"):
        await client.files.content(made.id)


async def test_documents_are_found_by_what_they_say(running: Component, gateway: FakeGateway) -> None:
    client = running.client()
    store = await client.vector_stores.create(name="facts", metadata={"about": "things"})
    await stored(client, store.id, "cats.md", CATS)
    await stored(client, store.id, "trains.md", TRAINS)
    page = await client.vector_stores.search(store.id, query="when does a cat purr and sleep")
    first = page.data[0]
    assert (first.filename, first.content[0].text) == ("cats.md", CATS.strip())
    assert 0.3 < first.score <= 1
    assert first.score > page.data[1].score
    store = await client.vector_stores.retrieve(store.id)
    assert (store.status, store.file_counts.completed, store.file_counts.total) == ("completed", 2, 2)
    assert store.usage_bytes > 2 * 96 * 4
    assert store.metadata == {"about": "things"}
    assert {asked["model"] for asked in gateway.asked} == {"minilm"}
    assert gateway.headers[0]["x-gateway-team"] == "search"
    assert gateway.headers[0]["x-gateway-work"] == "ingest"
    assert "x-gateway-work" not in gateway.headers[-1], "a search waits for nobody"


async def test_a_store_is_filled_when_it_is_made(running: Component) -> None:
    client = running.client()
    files = [
        await client.files.create(file=(f"{n}.txt", f"number {n}".encode()), purpose="assistants") for n in range(3)
    ]
    store = await client.vector_stores.create(file_ids=[file.id for file in files])
    await until(lambda: _completed(client, store.id, 3))


async def test_a_batch_of_files(running: Component) -> None:
    client = running.client()
    store = await client.vector_stores.create()
    files = [
        await client.files.create(file=(f"{n}.txt", f"number {n}".encode()), purpose="assistants") for n in range(3)
    ]
    bad = await client.files.create(file=("x.bin", b"\x00\xff\x00"), purpose="assistants")
    batch = await client.vector_stores.file_batches.create_and_poll(
        store.id, file_ids=[file.id for file in [*files, bad]], attributes={"lang": "en"}, poll_interval_ms=30
    )
    assert (batch.status, batch.file_counts.completed, batch.file_counts.failed) == ("completed", 3, 1)
    listed = [each async for each in client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id)]
    failed = next(each for each in listed if each.status == "failed")
    assert failed.last_error
    assert failed.last_error.code == "unsupported_file"
    assert all(each.attributes == {"lang": "en"} for each in listed)
    only = client.vector_stores.files.list(store.id, filter="failed")
    assert [each.id async for each in only] == [bad.id]


async def test_deletion_makes_it_unfindable_at_once(running: Component) -> None:
    client = running.client()
    store = await client.vector_stores.create()
    cats = await stored(client, store.id, "cats.md", CATS)
    trains = await stored(client, store.id, "trains.md", TRAINS)
    await client.vector_stores.files.delete(cats, vector_store_id=store.id)
    assert await names(client, store.id, "cat purrs") == ["trains.md"]
    await client.files.delete(trains)
    assert await names(client, store.id, "cat purrs") == []
    await client.vector_stores.delete(store.id)
    with pytest.raises(NotFoundError, match="There is no vector store"):
        await client.vector_stores.search(store.id, query="x")


async def test_attributes_filter_and_change(running: Component) -> None:
    client = running.client()
    store = await client.vector_stores.create()
    for number, lang in enumerate(("en", "de", 'q"t')):
        await stored(client, store.id, f"{number}.txt", f"cat {number}", lang=lang, year=2020 + number, old=number == 0)

    async def found(where: Any) -> list[str]:
        return sorted(await names(client, store.id, "cat", filters=where))

    def leaf(kind: str, key: str, value: object) -> dict[str, object]:
        return {"type": kind, "key": key, "value": value}

    assert await found(leaf("eq", "lang", "en")) == ["0.txt"]
    assert await found(leaf("eq", "lang", 'q"t')) == ["2.txt"]
    assert await found(leaf("ne", "lang", "en")) == ["1.txt", "2.txt"]
    assert await found(leaf("gte", "year", 2021)) == ["1.txt", "2.txt"]
    assert await found(leaf("lt", "year", 2021)) == ["0.txt"]
    assert await found(leaf("eq", "old", True)) == ["0.txt"]
    assert await found(leaf("in", "year", [2020, 2022])) == ["0.txt", "2.txt"]
    assert await found(leaf("nin", "lang", ["de"])) == ["0.txt", "2.txt"]
    assert await found(leaf("eq", "absent", 1)) == []
    either = {"type": "or", "filters": [leaf("eq", "lang", "de"), leaf("lt", "year", 2021)]}
    assert await found({"type": "and", "filters": [either, leaf("eq", "old", False)]}) == ["1.txt"]
    assert await found(leaf("eq", "lang", '" or 1 == 1 or "')) == []
    assert await found(leaf("eq", 'lang"] != "x" or attributes["lang', "en")) == []
    first = (await client.vector_stores.files.list(store.id, order="asc", limit=1)).data[0]
    await client.vector_stores.files.update(first.id, vector_store_id=store.id, attributes={"lang": "fr"})
    assert await found(leaf("eq", "lang", "fr")) == ["0.txt"]
    assert await found(leaf("eq", "lang", "en")) == []


async def test_words_count_where_they_are_asked(running: Component) -> None:
    client = running.client()
    store = await client.vector_stores.create()
    await stored(client, store.id, "cats.md", CATS)
    await stored(client, store.id, "trains.md", TRAINS)
    options: Any = {"hybrid_search": {"embedding_weight": 0, "text_weight": 1}}
    page = await client.vector_stores.search(store.id, query="platform seven, please", ranking_options=options)
    assert page.data[0].filename == "trains.md"
    assert page.data[0].score == pytest.approx(1)


async def test_scores_below_the_threshold_are_left_out(running: Component) -> None:
    client = running.client()
    store = await client.vector_stores.create()
    await stored(client, store.id, "cats.md", CATS)
    await stored(client, store.id, "trains.md", TRAINS)
    query = "a cat purrs when it is content"
    assert await names(client, store.id, query, ranking_options={"score_threshold": 0.5}) == ["cats.md"]
    assert len(await names(client, store.id, query)) == 2
    assert await names(client, store.id, "cat purrs", max_num_results=1) == ["cats.md"]


async def test_the_parts_of_a_file_can_be_read(running: Component) -> None:
    client = running.client()
    store = await client.vector_stores.create()
    text = "\n\n".join(f"Paragraph {n} is about the number {n} and nothing else." for n in range(60))
    file = await client.files.create(file=("long.txt", text.encode()), purpose="assistants")
    strategy: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    await client.vector_stores.files.create_and_poll(
        file.id,
        vector_store_id=store.id,
        chunking_strategy=strategy,
        poll_interval_ms=30,
    )
    page = client.vector_stores.files.content(file.id, vector_store_id=store.id)
    parts = [part.text or "" async for part in page]
    assert len(parts) > 5
    assert "\n\n".join(parts) == text


async def test_teams_see_their_own(running: Component) -> None:
    ours, theirs = running.client(team="search", key="a"), running.client(team="ads", key="b")
    store = await ours.vector_stores.create()
    file = await stored(ours, store.id, "cats.md", CATS)
    assert [each async for each in theirs.files.list()] == []
    assert [each async for each in theirs.vector_stores.list()] == []
    for call in (
        theirs.files.retrieve(file),
        theirs.files.content(file),
        theirs.files.delete(file),
        theirs.vector_stores.retrieve(store.id),
        theirs.vector_stores.search(store.id, query="cat"),
        theirs.vector_stores.delete(store.id),
        theirs.vector_stores.files.retrieve(file, vector_store_id=store.id),
    ):
        with pytest.raises(NotFoundError):
            await call
    mine = await theirs.vector_stores.create()
    with pytest.raises(NotFoundError, match="There is no file"):
        await theirs.vector_stores.files.create(mine.id, file_id=file)
    colleague = running.client(team="search", key="c")
    assert await names(colleague, store.id, "cat") == ["cats.md"]


async def test_what_cannot_be_is_refused(running: Component) -> None:
    client = running.client()
    store = await client.vector_stores.create()
    await stored(client, store.id, "cats.md", CATS)
    with pytest.raises(BadRequestError, match="rewrite_query: no query is rewritten here"):
        await client.vector_stores.search(store.id, query="x", rewrite_query=True)
    with pytest.raises(BadRequestError, match="query_vector: has 2 numbers, but the store's model 'minilm' makes 96"):
        await client.vector_stores.search(store.id, query="x", extra_body={"query_vector": [0.1, 0.2]})
    with pytest.raises(BadRequestError, match="purpose: is 'fine-tune'"):
        await client.files.create(file=("a.txt", b"x"), purpose="fine-tune")
    where: Any = {"type": "in", "key": "a", "value": "b"}
    with pytest.raises(APIStatusError, match="'in' takes a list"):
        await client.vector_stores.search(store.id, query="x", filters=where)
    async with running.http() as stranger:
        answer = await stranger.get("/v1/files", headers={"authorization": "Bearer other"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token")


async def test_a_vector_is_taken_in_place_of_a_query(running: Component, gateway: FakeGateway) -> None:
    from .support import embedding

    client = running.client()
    store = await client.vector_stores.create()
    await stored(client, store.id, "cats.md", CATS)
    asked = len(gateway.asked)
    found = await names(client, store.id, "cat", extra_body={"query_vector": embedding("cat")})
    assert found == ["cats.md"]
    assert len(gateway.asked) == asked


async def _completed(client: object, store_id: str, count: int) -> bool:
    store = await client.vector_stores.retrieve(store_id)  # type: ignore[attr-defined]
    return bool(store.file_counts.completed == count)
