"""serve_app.models.in_flight: a connection for each request, and a pod that ends when its last answer is complete."""

import asyncio
import http.client
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import httpx
import pytest
import uvicorn

from serve_app.models import in_flight
from serve_app.models.in_flight import InFlight


@pytest.fixture
def goes_on() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def client(goes_on: asyncio.Event) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application whose POST ends once `goes_on` is set, or fails."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/fails":
            raise RuntimeError
        if scope["method"] == "POST":
            await goes_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": b"done"})

    transport = httpx.ASGITransport(InFlight(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://pod") as found:
        yield found


async def count(client: httpx.AsyncClient) -> str:
    return (await client.get("/in-flight")).text


async def test_counts_until_the_answer_ends(client: httpx.AsyncClient, goes_on: asyncio.Event) -> None:
    assert await count(client) == "0"
    asked = [asyncio.create_task(client.post("/v1/chat/completions")) for _ in range(2)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert await count(client) == "2"
    goes_on.set()
    for each in asked:
        answer = await each
        assert (answer.text, answer.headers["connection"], answer.headers["x"]) == ("done", "close", "y")
    assert await count(client) == "0"


async def test_a_request_that_fails_is_over(client: httpx.AsyncClient) -> None:
    with pytest.raises(RuntimeError):
        await client.post("/fails")
    assert await count(client) == "0"


async def test_a_server_closes_the_connection_after_the_answer() -> None:
    """uvicorn, which is vLLM's too, does what the header says; the body comes in pieces, as a stream's."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    config = uvicorn.Config(InFlight(app), port=0, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)  # to the end of the connection
    writer.close()
    server.should_exit = True
    await serving
    assert b"connection: close\r\n" in answer
    assert answer.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


@pytest.mark.parametrize("path", ["/health", "/metrics"])
async def test_probes_and_scrapes_keep_their_connection(client: httpx.AsyncClient, path: str) -> None:
    assert "connection" not in (await client.get(path)).headers
    assert (await client.get("/v1/models")).headers["connection"] == "close"


@pytest.mark.parametrize(
    ("left", "says", "seconds"),
    [
        ([0, 0], "no request is left", 10),
        ([3, 2, TimeoutError(), 1, 0], "no request is left", 13),
        ([1] * 99, "1 requests are left after 60 s", 71),
        ([ConnectionRefusedError()], "the server does not answer", 0),
        ([1, ConnectionRefusedError()], "the server has ended", 10),
    ],
    ids=["idle", "busy", "too long", "not there", "ended"],
)
def test_wait(left: list[int | Exception], says: str, seconds: int) -> None:
    clock, answers = [0.0], iter(left)

    def answer() -> int:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    def sleep(for_: float) -> None:
        clock[0] += for_

    said = in_flight.wait(60, count=answer, handles=lambda: True, now=lambda: clock[0], sleep=sleep)
    assert (said, clock) == (says, [seconds])


@pytest.mark.parametrize(("after", "seconds"), [(3, 3), (999, 60)])
def test_a_server_that_starts_is_ended_once_it_minds_the_signal(after: int, seconds: int) -> None:
    clock = [0.0]

    def answer() -> int:
        raise ConnectionRefusedError

    def sleep(for_: float) -> None:
        clock[0] += for_

    in_flight.wait(300, count=answer, handles=lambda: clock[0] >= after, now=lambda: clock[0], sleep=sleep)
    assert clock == [seconds]


def test_who_handles_a_signal(tmp_path: Path) -> None:
    code = "import signal, sys; sys.argv[1:] and signal.signal(15, print); print(flush=True); input()"
    for arguments, handles in (([], False), (["x"], True)):
        with Popen([sys.executable, "-c", code, *arguments], stdin=PIPE, stdout=PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert in_flight.handles_the_end(Path(f"/proc/{process.pid}/status")) is handles
            process.communicate(b"\n")
    assert in_flight.handles_the_end(tmp_path / "gone")


@pytest.fixture
def served() -> Iterator[Callable[[bytes], int]]:
    """Serves an answer, and gives its port."""
    servers: list[HTTPServer] = []

    def serve(body: bytes) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_port

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_asks_the_server_and_no_proxy(served: Callable[[bytes], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert in_flight.in_flight(served(b"7")) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        in_flight.in_flight(served(b"<html>"))


def test_what_is_no_http_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise http.client.BadStatusLine("x")

    monkeypatch.setattr(http.client.HTTPConnection, "request", broken)
    with pytest.raises(OSError, match="x"):
        in_flight.in_flight()


def test_the_hook_lets_the_pod_go_whatever_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(in_flight, "LOG", tmp_path / "log")
    monkeypatch.setattr(in_flight, "wait", lambda seconds: f"waited {seconds}")
    assert in_flight.main(["300"]) == 0
    assert (tmp_path / "log").read_text() == "drain: waited 300\n"
