"""Files in a bucket of a real S3 server, and the command that fills a store from it."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import S3Store
from openai import AsyncOpenAI

from serve_app.data.__main__ import main

from .conftest import Start
from .support import TOKEN, Component, FakeGateway, component, config_for, names, stored, until

SERVER = shutil.which("versitygw")
needs_a_server = pytest.mark.skipif(SERVER is None, reason="versitygw is not on the PATH: make tools TOOLS=versitygw")
PAGES = {
    "cats.md": "# Cats\n\nA cat purrs.",
    "more/trains.html": "<h1>Trains</h1><p>The night train.</p>",
    "x.png": "x",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket, which the usual variables lead to."""
    root, port = tmp_path / "s3", free_port()
    (root / "documents").mkdir(parents=True)
    assert SERVER
    credentials = {"ROOT_ACCESS_KEY": "key", "ROOT_SECRET_KEY": "secret-secret"}
    command = [SERVER, "--port", f"127.0.0.1:{port}", "posix", str(root)]
    process = subprocess.Popen(command, env=os.environ | credentials, stdout=subprocess.DEVNULL)
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret-secret",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                asyncio.run(asyncio.sleep(0.1))
        yield "s3://documents"
    finally:
        process.terminate()
        process.wait()


@needs_a_server
async def test_files_are_kept_in_a_bucket(bucket: str, tmp_path: Path, gateway: FakeGateway) -> None:
    async with component(config_for(tmp_path, gateway, files={"url": f"{bucket}/all"})) as running:
        client = running.client()
        store = await client.vector_stores.create()
        content = b"A cat purrs. " * 1_000_000
        big = await client.files.create(file=("big.txt", content), purpose="assistants")
        assert (await client.files.content(big.id)).content == content
        assert (tmp_path / "s3/documents/all" / big.id).stat().st_size == len(content)
        await stored(client, store.id, "cats.md", "A cat purrs.")
        assert await names(client, store.id, "cat") == ["cats.md"]
        await client.files.delete(big.id)
        assert not (tmp_path / "s3/documents/all" / big.id).exists()


async def run(running: Component, source: str, *more: str) -> int:
    """The command, without a gateway, so that nobody is named."""
    arguments = ["ingest", source, "--store", "handbook", "--url", f"{running.url}/v1", *more]
    return await asyncio.to_thread(main, arguments)


@pytest.fixture
async def handbook(start: Start, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Component]:
    monkeypatch.setenv("OPENAI_API_KEY", TOKEN)
    async with start(stores={"handbook": {"embed": "minilm"}}) as running:
        yield running


async def listed(client: AsyncOpenAI) -> dict[str, Any]:
    return {
        str((each.attributes or {})["path"]): each.id async for each in client.vector_stores.files.list("vs_handbook")
    }


def write(folder: Path, pages: dict[str, str]) -> None:
    for path, text in pages.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


async def test_a_directory_fills_a_store(
    handbook: Component, tmp_path: Path, gateway: FakeGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pages"
    write(folder, PAGES)
    client = AsyncOpenAI(base_url=f"{handbook.url}/v1", api_key=TOKEN)
    assert await run(handbook, str(folder), "--dry-run") == 0
    assert "(dry run) + cats.md" in capsys.readouterr().err
    assert await listed(client) == {}
    assert await run(handbook, str(folder)) == 0
    assert "[2/2]" in capsys.readouterr().err
    first = await listed(client)
    assert sorted(first) == ["cats.md", "more/trains.html"]
    assert await names(client, "vs_handbook", "night train", max_num_results=1) == ["trains.html"]
    embedded = len(gateway.texts)
    assert await run(handbook, str(folder)) == 0
    assert await listed(client) == first
    assert len(gateway.texts) == embedded, "what is there is not sent again"
    write(folder, {"cats.md": "# Cats\n\nA cat sleeps."})
    (folder / "more/trains.html").unlink()
    assert await run(handbook, str(folder)) == 0
    second = await listed(client)
    assert second["more/trains.html"] == first["more/trains.html"]
    assert second["cats.md"] != first["cats.md"]
    assert await run(handbook, str(folder), "--prune") == 0
    await until(lambda: _only(client, "cats.md"))


async def _only(client: AsyncOpenAI, path: str) -> bool:
    return list(await listed(client)) == [path]


async def test_a_document_that_cannot_be_taken_is_named(
    handbook: Component, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pages"
    write(folder, {"a.md": "A cat.", "empty.md": " "})
    assert await run(handbook, str(folder)) == 1
    assert "! empty.md: The file has no text." in capsys.readouterr().err


async def test_what_the_api_refuses_is_told(handbook: Component, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(handbook, "/nowhere") == 1
    assert "/nowhere is no directory" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["ingest", ".", "--store", "x", "--url", f"{handbook.url}/v1"]) == 1
    assert "404: There is no vector store 'vs_x'" in capsys.readouterr().err


@needs_a_server
async def test_a_bucket_fills_a_store(bucket: str, handbook: Component) -> None:
    for path, text in PAGES.items():
        await obstore.put_async(S3Store.from_url(bucket), f"docs/{path}", text.encode())
    assert await run(handbook, f"{bucket}/docs") == 0
    client = AsyncOpenAI(base_url=f"{handbook.url}/v1", api_key=TOKEN)
    assert sorted(await listed(client)) == ["cats.md", "more/trains.html"]
