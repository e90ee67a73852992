"""Either end may be slow: what waits, for how long, and what is given up."""

import asyncio

import pytest

from serve_app.gateway.upstream.connection import HIGH_WATER
from serve_app.gateway.upstream.errors import LostError

from .raw_server import HEAD, OK, Server


async def test_a_model_that_does_not_read_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve_app.gateway.upstream.connection.WRITE_SECONDS", 0.1)
    deaf = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await deaf.wait()
        writer.close()

    server = Server(serve=serve)
    async with server.running() as pool:
        connection = await pool.connection(server.origin, fresh=False, seconds=5)
        connection.send(HEAD, [b"x" * 10_000_000])
        with pytest.raises(LostError, match=r"took nothing of the request for 0\.1 s"):
            await asyncio.wait_for(connection.read(), 5)
        assert not connection.is_open
        deaf.set()


async def test_a_model_that_answers_before_it_has_read_its_request() -> None:
    """What is left of the request would stand before the next one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        await closed.wait()
        writer.close()

    closed = asyncio.Event()
    server = Server(serve=serve)
    async with server.running() as pool:
        connection = await pool.connection(server.origin, fresh=False, seconds=5)
        connection.send(HEAD, [b"x" * 10_000_000])
        assert await connection.read() == b"ok"
        connection.release()
        assert not connection.is_open
        closed.set()


async def test_a_model_that_reads_slowly_has_the_time_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve_app.gateway.upstream.connection.WRITE_SECONDS", 0.2)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(10):
            await reader.readexactly(1_000_000)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)  # nothing is left to be written
        writer.write(OK)
        await writer.drain()
        await reader.read()
        writer.close()

    server = Server(serve=serve)
    async with server.running() as pool:
        connection = await pool.connection(server.origin, fresh=False, seconds=5)
        connection.send(HEAD, [b"x" * 10_000_000])
        assert await connection.read() == b"ok"
        connection.release()


async def test_a_reader_that_is_slow_makes_the_model_wait() -> None:
    size = 64 * 1024 * 1024
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b"x" * HIGH_WATER)
            sent += HIGH_WATER
            await writer.drain()
        writer.close()

    server = Server(serve=serve)
    async with server.running() as pool:
        connection = await pool.connection(server.origin, fresh=False, seconds=5)
        connection.send(HEAD, [])
        got = len(await connection.read())
        await asyncio.sleep(0.3)
        assert sent < size / 2
        while piece := await connection.read():
            got += len(piece)
        assert got == size
        connection.release()


async def test_a_cancelled_reader_ends_the_connection() -> None:
    server = Server(OK[:-1])
    async with server.running() as pool:
        asking = asyncio.create_task(server.ask(pool))
        await asyncio.sleep(0.1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(server.ended.wait(), 5)
