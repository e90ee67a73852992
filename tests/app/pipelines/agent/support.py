"""An agent served over HTTP, with a gateway that does what a test says."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from openai import AsyncOpenAI

from serve_app.pipelines.agent.assembly import apis
from serve_app.pipelines.agent.conversations import Conversations
from serve_app.pipelines.agent.model import Gateway
from serve_app.pipelines.agent.responses import Memory
from serve_app.pipelines.app import create_app
from serve_app.pipelines.rag.source import Query, Retrieved, Source
from serve_app.pipelines.tracing import Tracing
from serve_app.settings.agent import AgentSettings
from tests.app.pipelines.noted import Noted
from tests.app.pipelines.serving import served
from tests.app.pipelines.support import Backend, chunks, completion, sse

USAGE = {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 26}
Step = str | list[tuple[str, dict[str, Any] | str]]
"""What the model says, or which tools it calls with what."""
Script = Callable[[dict[str, Any]], Step]


def args(**more: Any) -> dict[str, Any]:
    """An agent's settings, as the chart renders them."""
    return {
        "pipeline_id": "helper",
        "kind": "agent",
        "gateway": {"url": "http://127.0.0.1:9"},
        "generate": "owl",
        "versions": {"ray": "1", "vllm": "1"},
        **more,
    }


def scripted(*steps: Step) -> Script:
    """A model that does one thing after the other since the user spoke, and the last for ever."""

    def step(body: dict[str, Any]) -> Step:
        done = 0
        for message in body["messages"]:
            done = 0 if message["role"] == "user" else done + (message["role"] == "assistant")
        return steps[min(done, len(steps) - 1)]

    return step


def calls(step: list[tuple[str, dict[str, Any] | str]]) -> list[dict[str, Any]]:
    """Chunks of a stream in which the model calls tools."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "owl"}
    told = [
        {
            "index": number,
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for number, (name, given) in enumerate(step)
    ]
    delta = {"role": "assistant", "content": None, "tool_calls": told}
    return [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {**head, "choices": [], "usage": USAGE},
    ]


def model(script: Script) -> Callable[[web.Request], Any]:
    """What the gateway answers for a model."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        step = script(body)
        if not body.get("stream"):
            assert isinstance(step, str)
            return web.json_response(completion(step))
        parts = chunks(*step.partition(" ")) if isinstance(step, str) else calls(step)
        return web.Response(body=sse(parts), content_type="text/event-stream")

    return handle


def source(text: str) -> Source:
    return Source("file-1", "a.md", 0.9, text)


@dataclass
class Stage:
    """An agent and all that it asks."""

    gateway: Backend
    measures: Noted
    looked_for: list[tuple[str, Query]]
    url: str
    client: AsyncOpenAI

    async def ask(self, question: str = "What is the weather in Rome?", **more: Any) -> dict[str, Any]:
        """A completion's JSON."""
        asked: Any = {"model": "helper", "messages": [{"role": "user", "content": question}], **more}
        return (await self.client.chat.completions.create(**asked)).model_dump()


@asynccontextmanager
async def stage(
    script: Script | None = None,
    *,
    answers: Callable[[web.Request], Any] | None = None,
    finds: Callable[[Query], Retrieved] | None = None,
    tracing: Tracing | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Serves an agent.

    Args:
        script: What its model does.
        answers: What the gateway answers, where it is no model's word.
        finds: What pipelines find.
        tracing: Makes spans.
        settings: Of the agent.
    """
    gateway = Backend(answers or model(script or scripted("Hello there.")))
    noted, tracing = Noted(), tracing or Tracing(None)
    looked_for: list[tuple[str, Query]] = []

    async def find(pipeline: str, query: Query) -> Retrieved:
        looked_for.append((pipeline, query))
        return finds(query) if finds else Retrieved(())

    async with gateway.served() as gateway_url:
        parsed = AgentSettings.parse(args(**{"gateway": {"url": gateway_url}} | settings))
        kept = Conversations(parsed.conversations)

        async def get(response_id: str) -> bytes:
            return kept.get(response_id)

        async def put(response_id: str, conversation: bytes) -> bool:
            return kept.put(response_id, conversation)

        memory = Memory(get, put) if parsed.conversations.max else None
        models = Gateway(parsed.gateway, "pipeline:helper", tracing)
        made = apis(parsed, gateway=models, find=find, memory=memory, tracing=tracing, measures=noted)
        app = create_app(made, tracing)
        try:
            async with served(app) as url, AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
                yield Stage(gateway, noted, looked_for, url, client)
        finally:
            await models.close()


def of_kind(items: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [item for item in items if item["type"] == kind]
