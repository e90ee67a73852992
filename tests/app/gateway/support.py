"""A model's server that does what a test says, and a gateway in front of it; both real, on the loopback."""

import asyncio
import hashlib
import io
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from serve_app.gateway.app import gateway
from serve_app.gateway.http.lifecycle import Drain, Server, server
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.observe.tracing import Tracing
from serve_app.gateway.upstream.retry import Backoff

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEY = "sk-test-0123456789"
CHAT = "/v1/chat/completions"
QUICK = Backoff(first=0.001, longest=0.01)
ANSWER = b'{"id": "1",  "object":"chat.completion", "choices": [{"message": {"content": "h\xc3\xa9"}}]}\n'
SERVE_404 = "Path '/models/a/v1/chat/completions' not found. Ping http://.../-/routes for available routes."


def key_entry(text: str, **fields: Any) -> str:
    """An API key's entry, as serve_app.keys makes it."""
    return json.dumps({"hash": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"} | fields)


def ask(model: str = "a", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}


def answer(
    status: int = 200, body: bytes | str = ANSWER, content_type: str = "application/json", **headers: str
) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        content = body.encode() if isinstance(body, str) else body
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=content, headers={"content-type": content_type, **names})

    return handle


async def reset(request: web.Request) -> web.StreamResponse:
    """Closes the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def stream(*pieces: bytes, gate: asyncio.Event | None = None, broken: bool = False) -> Handler:
    """Streams pieces; waits for the gate after the first, if there is one; ends without the end mark if broken."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for index, piece in enumerate(pieces):
            if index == 1 and gate:
                await gate.wait()
            await response.write(piece)
        if broken:
            assert request.transport is not None
            await asyncio.sleep(0.05)  # let the bytes leave, so that they arrive before the reset
            request.transport.abort()
        return response

    return handle


@dataclass
class Seen:
    """A request as the model got it."""

    path: str
    headers: dict[str, str]
    body: bytes
    peer: tuple[str, int]
    query: str


@dataclass
class FakeModel:
    """Answers each request by the next handler of the script, then by the last one for ever."""

    script: list[Handler] = field(default_factory=lambda: [answer()])
    seen: list[Seen] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        assert request.transport is not None
        names = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(
            Seen(request.path, names, body, request.transport.get_extra_info("peername"), request.query_string)
        )
        handler = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        try:
            return await handler(request)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    @property
    def retries(self) -> int:
        return len(self.seen) - 1

    @asynccontextmanager
    async def running(self, port: int = 0, context: ssl.SSLContext | None = None) -> AsyncIterator["FakeModel"]:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=context)
        await site.start()
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{runner.addresses[0][1]}/models/a"
        try:
            yield self
        finally:
            await runner.cleanup()


@dataclass
class Gateway:
    """A running gateway, and what can be seen of it."""

    url: str
    config: Path
    keys: Path
    metrics: Metrics
    drain: Drain
    server: Server
    stdout: io.BytesIO
    client: aiohttp.ClientSession

    def post(self, body: Any = None, *, path: str = CHAT, **more: Any) -> Any:
        if isinstance(body, dict):
            more["json"] = body
        elif body is not None:
            more["data"] = body
            more["headers"] = {"content-type": "application/json"} | more.get("headers", {})
        return self.client.post(self.url + path, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(self.url + path, **more)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"ray_vllm_gateway_{name}", labels)

    async def log_line(self, number: int = -1) -> dict[str, Any]:
        await until(lambda: bool(self.stdout.getvalue()))
        return json.loads(self.stdout.getvalue().splitlines()[number])


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits for something that comes true by itself; the limit only ends a test that would hang."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for knows of no event
            await asyncio.sleep(0.005)


async def error_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    content = await response.json()
    assert set(content) == {"error"}
    assert {"message", "type", "param", "code"} <= set(content["error"])
    return content["error"]


def config_for(url: str, **more: Any) -> dict[str, Any]:
    return {
        "models": {"a": {"url": url, "ownedBy": "team"}, "b": {"url": url.replace("/models/a", "/models/b")}},
        "routes": {"chat": {"backends": {"a": {}}}},
        "limits": {"maxBodyBytes": 4096},
        "timeouts": {"connectSeconds": 2, "firstByteSeconds": 20, "idleSeconds": 20},
        "retry": {"windowSeconds": 10},
    } | more


@asynccontextmanager
async def running_gateway(
    folder: Path,
    config: dict[str, Any],
    *,
    drain_seconds: int = 5,
    delay_seconds: float = 0,
    policy: dict[str, Any] | None = None,
    tracing: Tracing | None = None,
    data_tokens: Path | None = None,
) -> AsyncIterator[Gateway]:
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(config))
    keys = folder / "keys"
    keys.mkdir(exist_ok=True)
    (keys / "default").write_text(key_entry(KEY, **policy or {}))
    metrics = Metrics()
    drain = Drain()
    stdout = io.BytesIO()
    async with gateway(
        config=path,
        api_keys=keys,
        data_tokens=data_tokens,
        metrics=metrics,
        drain=drain,
        usage_log=stdout,
        tracing=tracing,
        poll_seconds=0.01,
        backoff=QUICK,
    ) as app:
        http = server(
            app, host="127.0.0.1", port=0, drain=drain, drain_seconds=drain_seconds, delay_seconds=delay_seconds
        )
        serving = asyncio.create_task(http.serve())
        await until(lambda: http.started)
        port = http.servers[0].sockets[0].getsockname()[1]
        headers = {"authorization": f"Bearer {KEY}"}
        async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as client:
            yield Gateway(f"http://127.0.0.1:{port}", path, keys, metrics, drain, http, stdout, client)
        http.should_exit = http.force_exit = True
        await serving
