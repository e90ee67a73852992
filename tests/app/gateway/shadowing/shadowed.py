"""Shadows of models that are really there, and what was counted of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.api.table import APIS
from serve_app.gateway.exchange.caller import ANYBODY
from serve_app.gateway.http.body import Body
from serve_app.gateway.http.body_memory import BodyMemory
from serve_app.gateway.routing.catalog import Catalog
from serve_app.gateway.routing.metrics import RoutingMetrics
from serve_app.gateway.shadowing.shadows import Shadow, Shadows
from serve_app.gateway.upstream.attempt import Upstream
from serve_app.gateway.upstream.credentials import Credentials
from serve_app.gateway.upstream.model_request import ModelRequest
from serve_app.settings.gateway import GatewayConfig

from ..support import CHAT, FakeModel, ask, until

SAID = (
    b'{"id": "9", "choices": [{"message": {"content": "hi"}}], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}'
)
OTHER = SAID.replace(b"hi", b"ho")
EVENTS = (
    b'data: {"choices": [{"index": 0, "delta": {"content": "h"}}]}\n\n',
    b'data: {"choices": [{"index": 0, "delta": {"content": "i"}}]}\n\n',
    b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\ndata: [DONE]\n\n',
)


async def hang(request: Any) -> Any:
    await asyncio.sleep(3600)


@dataclass
class Shadowed:
    """Shadows in front of real servers; the caller's own answers are told by the tests."""

    shadows: Shadows
    config: GatewayConfig
    registry: CollectorRegistry
    sent: list[Shadow] = field(default_factory=list)
    memory: BodyMemory = field(default_factory=lambda: BodyMemory(lambda: 1 << 20, CollectorRegistry()))

    def send(self, payload: dict[str, Any] | None = None, **headers: str) -> Shadow:
        payload = payload or ask("r")
        raw = json.dumps(payload).encode()
        share = self.memory.share()
        share.take(len(raw))
        body = Body(raw, model="r", written="r", stream=bool(payload.get("stream")), share=share)
        names = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        plan = Catalog(self.config, 0).resolve("r", APIS[CHAT], ANYBODY, names, "")
        request = ModelRequest("POST", CHAT, "", names, body, "openai")
        self.sent.append(self.shadows.send(plan, request, b"id-1"))
        body.release()
        return self.sent[-1]

    def value(self, name: str, model: str = "shadow", **labels: str) -> float | None:
        labels |= {"route": "r", "model": model}
        return self.registry.get_sample_value(f"ray_vllm_gateway_shadow_{name}", labels)

    async def counted(self, name: str, count: float = 1, **labels: str) -> None:
        await until(lambda: self.value(name, **labels) == count)

    def all_counted(self, name: str) -> dict[str, float]:
        """What is above 0: the last label's value -> count."""
        full = f"ray_vllm_gateway_shadow_{name}_total"
        samples = [sample for family in self.registry.collect() for sample in family.samples if sample.name == full]
        return {list(sample.labels.values())[-1]: sample.value for sample in samples if sample.value}


async def nowhere(message: Any) -> None:
    raise AssertionError("nothing is sent to the caller")


Start = Callable[..., Any]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts shadows of models at these URLs; what is left of them is cancelled and must not hang."""
    async with AsyncExitStack() as stack:

        async def started(*models: FakeModel | str, most: int = 32, key_file: str = "", **timeouts: float) -> Shadowed:
            urls = [model if isinstance(model, str) else model.url for model in models]
            names = ["shadow", *(f"shadow{number}" for number in range(2, len(urls) + 1))]
            entries = {name: {"url": url, "apiKeyFile": key_file} for name, url in zip(names, urls, strict=True)}
            config = GatewayConfig.model_validate(
                {
                    "models": {"a": {"url": "http://127.0.0.1:1"}} | entries,
                    "routes": {"r": {"backends": {"a": {}}, "shadow": {name: {"percent": 100} for name in names}}},
                    "shadows": {"maxConcurrent": most},
                    "timeouts": {"connectSeconds": 2, "firstByteSeconds": 5, "idleSeconds": 5} | timeouts,
                }
            )
            registry = CollectorRegistry()
            metrics = RoutingMetrics(registry)
            metrics.declare(Catalog(config, 0).plans())
            upstream = await stack.enter_async_context(Upstream.connected())
            shadows = Shadows(upstream, Credentials(), lambda: config, metrics)
            stack.push_async_callback(shadows.close)
            return Shadowed(shadows, config, registry)

        async with asyncio.timeout(30):
            yield started
