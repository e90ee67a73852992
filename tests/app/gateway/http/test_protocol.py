import asyncio
from typing import Any

import pytest

from serve_app.gateway.http import protocol
from serve_app.gateway.http.protocol import Protocol
from serve_app.gateway.http.refusals import MOST_HEAD_BYTES

from .served import HOST, Connection, answer, refusal, server


async def test_requests_follow_each_other_on_a_connection(connection: Connection) -> None:
    reader, writer = connection
    for size in (10, MOST_HEAD_BYTES - 100, 10, MOST_HEAD_BYTES - 100):
        writer.write(HOST + b"a: " + b"x" * size + b"\r\n\r\n")
        assert (await answer(reader))[::2] == (200, b'["/", ["host", "a"]]')


async def test_an_answers_head_and_the_first_piece_of_its_body_are_one_write(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[bytes] = []

    class Seen:
        def __init__(self, transport: asyncio.Transport) -> None:
            self._transport = transport

        def __getattr__(self, name: str) -> Any:
            return getattr(self._transport, name)

        def write(self, data: bytes) -> None:
            writes.append(data)
            self._transport.write(data)

    start = Protocol._start_asgi_task

    def seeing(self: Protocol, cycle: Any, app: Any) -> None:
        cycle.transport = Seen(cycle.transport)
        start(self, cycle, app)

    monkeypatch.setattr(Protocol, "_start_asgi_task", seeing)
    reader, writer = connection
    writer.write(HOST + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"ok")
    status, _, body = await answer(reader)
    assert status == 200
    assert len(writes) == 2
    assert writes[1].endswith(b"\r\n\r\n" + body)


async def test_an_answer_to_head_has_no_body(connection: Connection) -> None:
    reader, writer = connection
    for _ in range(2):
        writer.write(HOST.replace(b"GET", b"HEAD") + b"\r\n")
        async with asyncio.timeout(10):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")


async def test_a_head_may_come_in_pieces(connection: Connection) -> None:
    reader, writer = connection
    for byte in HOST + b"\r\n":
        writer.write(bytes((byte,)))
        await writer.drain()
    assert (await answer(reader))[0] == 200


@pytest.mark.parametrize(
    "request_head",
    [
        pytest.param(HOST + b"a: " + b"x" * MOST_HEAD_BYTES + b"\r\n\r\n", id="large header"),
        pytest.param(HOST + b"a: b\r\n" * (MOST_HEAD_BYTES // 2) + b"\r\n", id="many headers"),
        pytest.param(HOST + b"a: " + b"x" * MOST_HEAD_BYTES, id="a header without an end"),
        pytest.param(HOST + b"x" * MOST_HEAD_BYTES, id="a name without an end"),
        pytest.param(b"GET /" + b"x" * MOST_HEAD_BYTES, id="a path without an end"),
    ],
)
async def test_a_head_that_is_too_large_is_refused(connection: Connection, request_head: bytes) -> None:
    reader, writer = connection
    writer.write(request_head)
    assert await refusal(reader) == 431


async def test_a_head_that_grows_too_large_slowly_is_refused(connection: Connection) -> None:
    reader, writer = connection
    writer.write(HOST + b"a: ")
    for _ in range(MOST_HEAD_BYTES // 1024 + 1):
        await asyncio.sleep(0.001)
        writer.write(b"x" * 1024)
    assert await refusal(reader) == 431


@pytest.mark.parametrize(
    "line",
    [b"nonsense\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n"],
)
async def test_what_is_no_request_is_refused(connection: Connection, line: bytes) -> None:
    reader, writer = connection
    writer.write(line)
    assert await refusal(reader) == 400


async def test_a_head_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    async with server() as port:
        for before in (b"", HOST + b"\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            if before:
                writer.write(before)
                assert (await answer(reader))[0] == 200
            writer.write(HOST)
            assert await refusal(reader) == 408
            writer.close()


async def test_a_connection_on_which_nothing_comes_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


async def test_the_limit_of_time_is_for_heads_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.05)
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\na")
            await asyncio.sleep(0.1)
            writer.write(b"b")
            assert (await answer(reader))[0] == 200
            await asyncio.sleep(0.1)
        writer.close()


async def test_headers_after_the_body_are_dropped(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nlate: 1\r\n\r\n")
    assert (await answer(reader))[2] == b'["/", ["host", "transfer-encoding"]]'


async def test_nothing_is_written_into_an_answer_that_is_not_done(connection: Connection) -> None:
    reader, writer = connection
    writer.write(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n")
    await asyncio.sleep(0.05)
    writer.write(b"abcde" + b"nonsense\r\n\r\n")
    async with asyncio.timeout(10):
        assert b"400" not in await reader.read()


@pytest.mark.parametrize(("path", "header", "status"), [(400, 400, 200), (700, 400, 431), (400, 700, 431)])
async def test_path_and_headers_are_limited_together(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, path: int, header: int, status: int
) -> None:
    monkeypatch.setattr(protocol, "MOST_HEAD_BYTES", 1000)
    reader, writer = connection
    writer.write(b"GET /" + b"p" * path + b" HTTP/1.1\r\nhost: x\r\na: " + b"h" * header + b"\r\n\r\n")
    assert (await answer(reader))[0] == status
