"""The data component on the loopback, with its real databases, and a gateway that embeds words by their hashes."""

import asyncio
import hashlib
import json
import math
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from openai import AsyncOpenAI
from prometheus_client import CollectorRegistry

from serve_app.data.app import Secrets, opened
from serve_app.settings.data import DataConfig

TOKEN, PIPELINE_TOKEN = "token-of-the-component", "token-of-pipelines"
DIMENSIONS = 96


def embedding(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A unit vector in which texts that share words are near."""
    vector = [0.0] * dimensions
    for word in "".join(letter if letter.isalnum() else " " for letter in text.lower()).split():
        vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % dimensions] += 1
    length = math.sqrt(sum(value * value for value in vector)) or 1
    return [value / length for value in vector]


@dataclass
class FakeGateway:
    """Answers /v1/embeddings."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    failures: list[tuple[int, str]] = field(default_factory=list)
    """Answered first: status and message."""
    revoked_after: int | None = None
    """Requests that are let in before their caller's key is revoked."""
    gate: asyncio.Event | None = None
    """Waited for, from the second request on."""
    dimensions: int = DIMENSIONS
    context: int = 10_000
    """Characters that the model reads; more is refused, unless it may be cut."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FakeGateway"]:
        app = FastAPI()

        @app.post("/v1/embeddings")
        async def embed(request: Request) -> JSONResponse:
            asked = json.loads(await request.body())
            self.asked.append(asked)
            self.headers.append(dict(request.headers))
            if self.revoked_after is not None and len(self.asked) > self.revoked_after:
                return JSONResponse({"error": {"message": "The key is revoked.", "code": "key_revoked"}}, 403)
            if self.failures:
                status, message = self.failures.pop(0)
                return JSONResponse({"error": {"message": message}}, status)
            if self.gate and len(self.asked) > 1:
                await self.gate.wait()
            cut = asked.get("truncate_prompt_tokens") == -1
            if not cut and any(len(text) > self.context for text in asked["input"]):
                return JSONResponse({"error": {"message": "too long", "code": "context_length_exceeded"}}, 400)
            vectors = [embedding(text[: self.context], self.dimensions) for text in asked["input"]]
            data = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
            return JSONResponse({"data": data[::-1]})

        @app.post("/v1/chat/completions")
        async def chat(request: Request) -> JSONResponse:
            asked = json.loads(await request.body())
            self.asked.append(asked)
            self.headers.append(dict(request.headers))
            if self.revoked_after is not None and len(self.asked) > self.revoked_after:
                refused = {"error": {"message": "The key is revoked.", "code": "key_revoked"}}
                return JSONResponse(refused, 403, {"retry-after": "0"})
            if self.failures:
                status, message = self.failures.pop(0)
                return JSONResponse({"error": {"message": message}}, status, {"retry-after": "0"})
            if self.gate and len(self.asked) > 4:
                await self.gate.wait()
            if asked["messages"] == "bad":
                return JSONResponse({"error": {"message": "messages is no list"}}, 400)
            return JSONResponse({"echo": asked["messages"]}, headers={"x-request-id": "r1"})

        async with served(app) as self.url:
            yield self

    @property
    def texts(self) -> list[str]:
        return [text for asked in self.asked for text in asked["input"]]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """An application on a port of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve([listener]))
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    """Waits for what comes true by itself, now or awaited."""
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if await holds if isinstance(holds, Awaitable) else holds:
                return
            await asyncio.sleep(0.02)


@dataclass
class Component:
    """A running component."""

    url: str
    registry: CollectorRegistry

    def http(self, **caller: str) -> httpx.AsyncClient:
        headers = {f"x-gateway-{name}": value for name, value in caller.items()}
        return httpx.AsyncClient(base_url=self.url, headers={"authorization": f"Bearer {TOKEN}", **headers}, timeout=30)

    def client(self, **caller: str) -> AsyncOpenAI:
        """OpenAI's own client, as somebody; the gateway would replace the key by the token and add the headers."""
        headers = {f"x-gateway-{name}": value for name, value in (caller or {"team": "search", "key": "ci"}).items()}
        return AsyncOpenAI(base_url=f"{self.url}/v1", api_key=TOKEN, default_headers=headers, max_retries=0)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"ray_vllm_data_{name}", labels)


@asynccontextmanager
async def component(config: dict[str, Any], *, database_url: str = "", vectors: str = "") -> AsyncIterator[Component]:
    """A component that looks for work often."""
    registry = CollectorRegistry()
    secrets = Secrets(TOKEN, PIPELINE_TOKEN, database_url, vectors)
    async with (
        opened(DataConfig.model_validate(config), secrets, registry, poll_seconds=0.02) as app,
        served(app) as url,
    ):
        yield Component(url, registry)


def config_for(folder: Path, gateway: FakeGateway, **more: Any) -> dict[str, Any]:
    return {"gatewayUrl": gateway.url, "directory": str(folder), "embed": "minilm"} | more


async def stored(client: AsyncOpenAI, store_id: str, name: str, content: str | bytes, **attributes: Any) -> str:
    """Takes a document into a store, to its end."""
    data = content.encode() if isinstance(content, str) else content
    file = await client.files.create(file=(name, data), purpose="assistants")
    added = await client.vector_stores.files.create_and_poll(
        file.id, vector_store_id=store_id, attributes=attributes or None, poll_interval_ms=30
    )
    assert added.status == "completed", added.last_error
    return file.id


async def names(client: AsyncOpenAI, store_id: str, query: str, **more: Any) -> list[str]:
    """The files that a search finds, the best first."""
    page = await client.vector_stores.search(store_id, query=query, **more)
    return [result.filename for result in page.data]
