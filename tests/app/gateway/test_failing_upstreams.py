"""One table: how a model's server can fail on the wire, and exactly what the client gets, with a fallback and without.

The servers here speak raw bytes, since no HTTP library would misbehave like this.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from .support import ANSWER, FakeModel, Gateway, ask, config_for, running_gateway, until

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

JSON_HEAD = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
HUGE = b'data: {"choices":[{"delta":{"content":"' + b"y" * 30_000_000 + b'"}}]}\n\n'


def says(*pieces: bytes, abort: bool = False, pause: float = 0.02) -> Behaviour:
    """Sends these after it has read the request, with pauses between them; then closes or resets."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if abort:
            writer.transport.abort()

    return behave


def refusal(status: bytes, body: bytes = b'{"error":{"message":"no"}}') -> Behaviour:
    return says(JSON_HEAD % (status, len(body)) + body)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the gateway gives up


async def drips_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A slow loris: a byte now and then, never a whole head."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@dataclass
class Case:
    """What a server does, and what comes of it. `body`: bytes that the client gets before the break, if it breaks."""

    name: str
    behave: Behaviour | None
    status: int
    code: str = ""
    breaks: bool = False
    falls_back: bool = True
    body: bytes = b""


CASES = [
    Case("refused", None, 503, "model_unavailable"),
    Case("reset before the first byte", says(abort=True), 502, "request_lost", falls_back=False),
    Case("closed before the first byte", says(), 502, "request_lost", falls_back=False),
    Case("reset in the headers", says(b"HTTP/1.1 200 O", abort=True), 502, "request_lost", falls_back=False),
    Case("reset after the headers", says(STREAM_HEAD, abort=True), 502, "request_lost", falls_back=False),
    Case("reset after the first byte", says(STREAM_HEAD + CHUNK, abort=True), 200, breaks=True, body=EVENT),
    Case("closed after the first byte", says(STREAM_HEAD + CHUNK), 200, breaks=True, body=EVENT),
    Case("stall before the headers", silent, 504, "timeout"),
    Case("slow loris", drips_headers, 504, "timeout"),
    Case("429", refusal(b"429 Too Many Requests"), 429),
    Case("503", refusal(b"503 Service Unavailable"), 503, "model_unavailable"),
    Case("400 is the client's fault", refusal(b"400 Bad Request"), 400, falls_back=False),
    Case("500 is the model's answer", refusal(b"500 Internal Server Error"), 500, falls_back=False),
    Case("not HTTP", says(b"220 smtp ready\r\n\r\n"), 502, "bad_gateway"),
    Case("malformed chunk", says(STREAM_HEAD + CHUNK, b"zz\r\nnonsense\r\n"), 200, breaks=True, body=EVENT),
    Case("malformed event", says(STREAM_HEAD + b"6\r\ndata: \r\n0\r\n\r\n"), 200, body=b"data: "),
    Case("huge chunk", says(STREAM_HEAD + b"%x\r\n" % len(HUGE), HUGE, b"\r\n0\r\n\r\n"), 200, body=HUGE),
    Case("drips its answer", says(STREAM_HEAD, *[CHUNK] * 20, b"0\r\n\r\n"), 200, body=EVENT * 20),
]


@asynccontextmanager
async def server(behave: Behaviour | None) -> AsyncIterator[str]:
    """The URL of a server that reads a request and then behaves so; of nothing, if there is no behaviour."""
    if behave is None:
        yield "http://127.0.0.1:1"
        return
    running: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().splitlines() if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        for writer in running:
            writer.transport.abort()


def config(failing: str, good: str) -> dict[str, Any]:
    return config_for(
        good,
        models={"a": {"url": failing}, "b": {"url": good}},
        routes={"safe": {"backends": {"a": {}}, "fallback": {"b": {}}}},
        timeouts={"connectSeconds": 2, "firstByteSeconds": 1.5, "idleSeconds": 2},
        retry={"windowSeconds": 0.2, "beforeFallbackSeconds": 0.1, "maxLost": 1},
    )


async def outcome(gateway: Gateway, name: str) -> tuple[int, bytes, bool]:
    """Status, bytes that arrived, and whether the answer broke off."""
    async with gateway.post(ask(name, stream=True)) as response:
        got = b""
        try:
            while piece := await response.content.readany():
                got += piece
        except aiohttp.ClientPayloadError:
            return response.status, got, True
        return response.status, got, False


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_the_client_gets(case: Case, model: FakeModel, tmp_path: Path) -> None:
    async with server(case.behave) as url, running_gateway(tmp_path, config(url, model.url)) as gateway:
        status, body, broke = await outcome(gateway, "a")
        assert (status, broke) == (case.status, case.breaks), body[:500]
        if case.code:
            assert f'"code":"{case.code}"'.encode() in body
        if case.body:
            assert body == case.body
        assert b"127.0.0.1" not in body
        assert not model.seen
        await until(lambda: gateway.value("requests_in_flight", model="a") == 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_a_fallback_makes_of_it(case: Case, model: FakeModel, tmp_path: Path) -> None:
    async with server(case.behave) as url, running_gateway(tmp_path, config(url, model.url)) as gateway:
        status, body, broke = await outcome(gateway, "safe")
        if case.status == 200 or not case.falls_back:
            assert (status, broke, len(model.seen)) == (case.status, case.breaks, 0)
        else:
            assert (status, body, broke, len(model.seen)) == (200, ANSWER, False, 1)
            line = await gateway.log_line()
            assert (line["model"], line["route"]) == ("b", "safe")
