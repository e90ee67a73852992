"""A pipeline served over HTTP, with a gateway and a store of documents that do what a test says, on the loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from openai import AsyncOpenAI

from serve_app.pipelines.app import create_app
from serve_app.pipelines.generator import CODE, Generator
from serve_app.pipelines.rag.answering import Answering
from serve_app.pipelines.rag.apis import apis
from serve_app.pipelines.rag.models import Embedded, Scored, Scorer
from serve_app.pipelines.rag.retriever import Retriever
from serve_app.pipelines.rag.search import AWAY, StoreSearch
from serve_app.pipelines.service import ServiceClient
from serve_app.pipelines.tracing import Carrier, Tracing
from serve_app.settings.pipeline import RagSettings
from tests.app.pipelines.noted import Noted
from tests.app.pipelines.serving import served

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PROMPT = "Documents:\n{documents}\n\nQuestion: {question}"
NOT_FOUND = "Nothing is known about that."
TEXT = "Owls hunt at night [1]."


def args(**more: Any) -> dict[str, Any]:
    """A pipeline's settings, as the chart renders them."""
    return {
        "pipeline_id": "docs",
        "data": {"url": "http://127.0.0.1:9"},
        "gateway": {"url": "http://127.0.0.1:9"},
        "store": {"id": "vs_docs"},
        "embed": {"model": "minilm", "application": "minilm"},
        "generate": "smollm2",
        "prompt": PROMPT,
        "not_found": NOT_FOUND,
        "versions": {"ray": "1", "vllm": "1"},
        **more,
    }


def found(*texts: str, **attributes: Any) -> dict[str, Any]:
    """A page of search results, best first."""
    data = [
        {
            "file_id": f"file-{number}",
            "filename": f"{number}.md",
            "score": 0.9 - number / 10,
            "attributes": attributes,
            "content": [{"type": "text", "text": text}],
        }
        for number, text in enumerate(texts, 1)
    ]
    return {"object": "vector_store.search_results.page", "data": data, "has_more": False, "next_page": None}


def completion(text: str = TEXT) -> dict[str, Any]:
    """A generating model's completion."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "smollm2",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 26},
    }


def chunks(*texts: str, finish: str = "stop") -> list[dict[str, Any]]:
    """The same as chunks of a stream."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "smollm2"}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    usage = {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 26}
    pieces = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": text}) for text in texts)]
    return [*pieces, chunk({}, finish), {**head, "choices": [], "usage": usage}]


def sse(parts: Sequence[dict[str, Any]], *, done: bool = True) -> bytes:
    text = "".join(f"data: {json.dumps(part)}\n\n" for part in parts)
    return (text + ("data: [DONE]\n\n" if done else "")).encode()


def error(status: int, message: str, **headers: str) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"error": {"message": message, "code": "of_the_service", "param": None}}
        return web.json_response(body, status=status, headers=names)

    return handle


@dataclass
class Backend:
    """What the gateway or the store is asked, and what it answers."""

    answer: Handler | dict[str, Any]
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append({"path": request.path, **body})
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if callable(self.answer):
            try:
                return await self.answer(request)
            except asyncio.CancelledError:
                self.left.set()
                raise
        if body.get("stream"):
            text = self.answer["choices"][0]["message"]["content"]
            return web.Response(body=sse(chunks(*text.partition(" "))), content_type="text/event-stream")
        return web.json_response(self.answer)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.handle)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


class Vectors:
    """An embedding model: the vector of a text is its length."""

    def __init__(self, wait: asyncio.Event | None = None) -> None:
        self.asked: list[str] = []
        self.traces: list[Carrier] = []
        self._wait = wait

    async def embed(self, text: str, trace: Carrier) -> Embedded:
        self.asked.append(text)
        self.traces.append(trace)
        if self._wait is not None:
            await self._wait.wait()
        return Embedded([float(len(text))], 4)


class Scores:
    """A reranking model: texts score by how many words of the question they have."""

    async def score(self, question: str, texts: Sequence[str], trace: Carrier) -> Scored:
        words = set(question.lower().split())
        return Scored([len(words & set(text.lower().split())) / len(words) for text in texts], 7)


@dataclass
class Stage:
    """A pipeline and all that it asks."""

    gateway: Backend
    store: Backend
    vectors: Vectors
    measures: Noted
    url: str
    client: AsyncOpenAI


@asynccontextmanager
async def stage(
    *,
    answers: Handler | dict[str, Any] | None = None,
    finds: Handler | dict[str, Any] | None = None,
    vectors: Vectors | None = None,
    scorer: Scorer | None = None,
    tracing: Tracing | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Serves a pipeline.

    Args:
        answers: What the gateway answers.
        finds: What the store answers.
        vectors: The embedding model.
        scorer: The reranking model.
        tracing: Makes spans.
        settings: Of the pipeline.
    """
    gateway = Backend(completion() if answers is None else answers)
    store = Backend(found("Owls hunt at night.", "Sparrows sing.") if finds is None else finds)
    embedder, noted, tracing = vectors or Vectors(), Noted(), tracing or Tracing(None)
    async with gateway.served() as gateway_url, store.served() as store_url:
        given = {"data": {"url": store_url}, "gateway": {"url": gateway_url}} | settings
        parsed = RagSettings.parse(args(**given))
        search_client = ServiceClient(parsed.data, "The store of documents", code=AWAY)
        model_client = ServiceClient(parsed.gateway, "The generating model", code=CODE)
        retriever = Retriever(
            parsed,
            embedder=embedder,
            search=StoreSearch(search_client, parsed.store, hybrid=parsed.hybrid),
            scorer=scorer,
            tracing=tracing,
            measures=noted,
        )
        generator = Generator(model_client, parsed.generate)
        answering = Answering(parsed, retrieve=retriever, generator=generator, tracing=tracing)
        app = create_app(apis(answering), tracing)
        try:
            async with served(app) as url, AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
                yield Stage(gateway, store, embedder, noted, url, client)
        finally:
            await search_client.close()
            await model_client.close()
