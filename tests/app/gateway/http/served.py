"""The gateway's HTTP without the gateway: one small application behind it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

import uvicorn
from starlette.types import Receive, Scope, Send

from serve_app.gateway.http.idle_connections import IdleConnections
from serve_app.gateway.http.protocol import CONNECTION, Protocol

from ..support import until

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


LEFT = asyncio.Event()
"""Set when a client of /late has left."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells the path and the headers; waits for the body's end first, except at /early; /late looks for the client."""
    if scope["path"] == "/late":
        await asyncio.sleep(0.2)
        scope["extensions"][CONNECTION].when_left(LEFT.set)
        return
    while scope["path"] != "/early" and (await receive()).get("more_body"):
        pass
    names = [name.decode() for name, _ in scope["headers"]]
    body = json.dumps([scope["path"], names]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def server() -> AsyncIterator[int]:
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http=cast("type[asyncio.Protocol]", partial(Protocol, idle=IdleConnections())),
        ws="none",
        lifespan="off",
        log_config=None,
    )
    http = uvicorn.Server(config)
    serving = asyncio.create_task(http.serve())
    await until(lambda: http.started)
    yield http.servers[0].sockets[0].getsockname()[1]
    for connection in list(http.server_state.connections):  # which the end waits for
        cast("Protocol", connection).abort()
    http.should_exit = http.force_exit = True
    await serving


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def refusal(reader: asyncio.StreamReader) -> int:
    """The status of a refusal in OpenAI's shape, after which the connection ends."""
    status, headers, body = await answer(reader)
    assert json.loads(body)["error"]["message"]
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"]
    assert await reader.read() == b""
    return status


HOST = b"GET / HTTP/1.1\r\nhost: x\r\n"
