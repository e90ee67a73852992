"""The program itself, killed in the middle of its work: the next one goes on, and nothing is lost or doubled."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from openai import APIConnectionError, AsyncOpenAI

from .support import PIPELINE_TOKEN, TOKEN, FakeGateway, config_for, names, until
from .test_batches import CHAT, line, lines_of
from .test_bucket import free_port

LINES = 300


@asynccontextmanager
async def process(folder: Path, config: dict[str, Any]) -> AsyncIterator[tuple[AsyncOpenAI, subprocess.Popen[bytes]]]:
    """The program, as the image runs it."""
    tokens = folder / "tokens"
    tokens.mkdir(exist_ok=True)
    (tokens / "component-token").write_text(TOKEN)
    (tokens / "token").write_text(PIPELINE_TOKEN)
    (folder / "data.yaml").write_text(yaml.safe_dump(config))
    port, metrics = free_port(), free_port()
    command = [sys.executable, "-m", "serve_app.data", "serve", "--config", str(folder / "data.yaml")]
    command += ["--tokens", str(tokens), "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(metrics)]
    with (folder / "log").open("ab") as log:
        running = subprocess.Popen(command, env=os.environ, stderr=log)  # noqa: ASYNC220  # it starts at once
    client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=TOKEN, max_retries=0)
    try:
        await until(lambda: _answers(client), 120)
        yield client, running
    finally:
        running.terminate()
        await asyncio.to_thread(running.wait)


async def _answers(client: AsyncOpenAI) -> bool:
    try:
        await client.files.list()
    except APIConnectionError:
        return False
    return True


async def test_nothing_is_lost_or_doubled(tmp_path: Path, gateway: FakeGateway) -> None:
    ingest = {"batchSize": 2, "leaseSeconds": 5}  # a busy machine keeps it
    config = config_for(tmp_path, gateway, ingest=ingest, chunk={"maxTokens": 16, "overlapTokens": 0})
    async with process(tmp_path, config) as (client, running):
        text = "\n\n".join(f"Paragraph {number} speaks of the number {number} alone." for number in range(60))
        document = await client.files.create(file=("long.txt", text.encode()), purpose="assistants")
        store = await client.vector_stores.create(file_ids=[document.id])
        content = "\n".join(json.dumps(line(number)) for number in range(LINES))
        file = await client.files.create(file=("in.jsonl", content.encode()), purpose="batch")
        batch = await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
        await until(lambda: len([asked for asked in gateway.asked if "messages" in asked]) > LINES // 3, 90)
        await until(lambda: len([asked for asked in gateway.asked if "input" in asked]) > 3, 90)
        running.kill()
    async with process(tmp_path, config) as (client, _):
        await until(lambda: _done(client, store.id, batch.id), 180)
        batch = await client.batches.retrieve(batch.id)
        output = await lines_of(client, batch.output_file_id)
        assert [each["custom_id"] for each in output] == [f"line-{number}" for number in range(LINES)]
        page = client.vector_stores.files.content(document.id, vector_store_id=store.id)
        assert "\n\n".join([part.text or "" async for part in page]) == text
        found = await names(client, store.id, "paragraph number", max_num_results=50)
        assert len(found) == 50
    assert len([asked for asked in gateway.asked if "messages" in asked]) <= LINES + 32, "only what was under way"


async def _done(client: AsyncOpenAI, store_id: str, batch_id: str) -> bool:
    store, batch = await client.vector_stores.retrieve(store_id), await client.batches.retrieve(batch_id)
    return store.file_counts.completed == 1 and batch.status == "completed"
