"""How a connection ends while its client still sends, and which one ends where there are too many."""

import asyncio
import json

import pytest

from serve_app.gateway.http import linger, protocol
from serve_app.gateway.http.refusals import MOST_HEADERS

from ..support import until
from .served import HOST, LEFT, Connection, answer, refusal, server

POST = b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
LENGTH = 200_000_000


async def opened(port: int, count: int) -> list[Connection]:
    connections = []
    for _ in range(count):
        connections.append(await asyncio.open_connection("127.0.0.1", port))
        await asyncio.sleep(0.01)
    return connections


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the connection ends now."""
    async with asyncio.timeout(5):
        try:
            return await reader.read() == b""
        except ConnectionResetError:
            return True


async def send_forever(writer: asyncio.StreamWriter, piece: bytes, pause: float = 0) -> None:
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
async def test_a_response_comes_at_once_though_its_request_does_not(connection: Connection, version: bytes) -> None:
    reader, writer = connection
    writer.write((POST % LENGTH).replace(b"HTTP/1.1", version))
    assert (await answer(reader))[0] == 200
    assert await ended(reader)


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
async def test_a_client_that_goes_on_sending_reads_its_response(connection: Connection, version: bytes) -> None:
    reader, writer = connection
    writer.write((POST % LENGTH).replace(b"HTTP/1.1", version))
    for _ in range(20):  # the response was sent long ago
        writer.write(b"x" * 1_000_000)
        await writer.drain()
    assert (await answer(reader))[0] == 200
    assert await ended(reader)
    writer.write(b"x")  # its own side is open still
    await writer.drain()


async def test_who_never_ends_is_cut(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linger, "LINGER_SECONDS", 0.1)
    reader, writer = connection
    writer.write(POST % LENGTH)
    await answer(reader)
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionError):
            await send_forever(writer, b"x", pause=0.05)


async def test_who_sends_too_much_is_cut(connection: Connection) -> None:
    reader, writer = connection
    writer.write(POST % LENGTH)
    await answer(reader)
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionError):
            await send_forever(writer, b"x" * 1_000_000)


@pytest.mark.parametrize("more", [0, 1])
async def test_the_number_of_headers_is_limited(connection: Connection, more: int) -> None:
    reader, writer = connection
    writer.write(HOST + b"a:\r\n" * (MOST_HEADERS - 1 + more) + b"\r\n")
    if more:
        assert await refusal(reader) == 431
    else:
        status, _, body = await answer(reader)
        assert (status, len(json.loads(body)[1])) == (200, MOST_HEADERS)


async def test_at_the_limit_the_one_that_was_idle_for_the_longest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "most_connections", lambda: 3)
    async with server() as port:
        silent, asking, waiting = await opened(port, 3)
        waiting[1].write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n1")
        asking[1].write(HOST + b"\r\n")
        assert (await answer(asking[0]))[0] == 200
        kept = []
        for gone in (silent, asking):
            kept += await opened(port, 1)
            reader, writer = kept[-1]
            assert await ended(gone[0])
            writer.write(HOST + b"\r\n")
            assert (await answer(reader))[0] == 200
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n1")
            await asyncio.sleep(0.05)
        kept += await opened(port, 1)
        assert await refusal(kept[-1][0]) == 503  # all others are asking
        waiting[1].write(b"2")
        assert (await answer(waiting[0]))[0] == 200


async def test_many_at_once_close_no_more_than_they_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "most_connections", lambda: 10)
    async with server() as port:
        connections = await opened(port, 10)
        more = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(5)))
        for reader, writer in [*connections[5:], *more]:
            writer.write(HOST + b"\r\n")
            assert (await answer(reader))[0] == 200
        await until(lambda: all(reader.at_eof() for reader, _ in connections[:5]))


async def test_a_client_that_left_before_anybody_looked_is_seen_to_have_left(connection: Connection) -> None:
    LEFT.clear()
    _, writer = connection
    writer.write(b"GET /late HTTP/1.1\r\nhost: x\r\n\r\n")
    await writer.drain()
    writer.close()
    async with asyncio.timeout(5):
        await LEFT.wait()
