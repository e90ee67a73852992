"""Connections to models on the wire."""

import asyncio

import pytest

from serve_app.gateway.upstream.errors import LostError, NotHttpError, SilentError

from ..support import until
from .raw_server import HEAD, OK, Server


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        pytest.param([OK], b"ok", id="length"),
        pytest.param([OK[:20], OK[20:-1], OK[-1:]], b"ok", id="in pieces"),
        pytest.param([b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"], b"", id="empty"),
        pytest.param([b"HTTP/1.1 204 No Content\r\n\r\n"], b"", id="204"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n", OK], b"ok", id="100"),
        pytest.param([b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + OK], b"ok", id="103 in one piece"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\no", b"k\r\n0\r\nx-t: 1\r\n\r\n"],
            b"ok",
            id="chunks and a trailer",
        ),
    ],
)
async def test_whole_answers_and_connections_that_are_used_again(pieces: list[bytes], body: bytes) -> None:
    server = Server(*pieces)
    async with server.running() as pool:
        for _ in range(3):
            connection, got = await server.ask(pool)
            assert got == body
            assert connection.status in (200, 204)
            assert not {b"link", b"x-t"} & {name for name, _ in connection.headers}
        assert server.connections == 1
        await server.ask(pool, fresh=True)
        assert server.connections == 2


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"], id="close"),
        pytest.param([b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"], id="HTTP/1.0"),
        pytest.param([OK + b"HTTP/1.1 200 OK\r\n"], id="more than was asked for"),
        pytest.param([OK + OK.replace(b"ok", b"no")], id="two responses in one segment"),
        pytest.param([OK + b"\0garbage"], id="garbage after the end"),
        pytest.param([OK.replace(b"200 OK", b"200 OK\r\nx-one: 1") * 3], id="three"),
        pytest.param([OK.replace(b"200 OK", b"404 No")], id="no success"),
    ],
)
async def test_connections_that_are_not_used_again(pieces: list[bytes]) -> None:
    server = Server(*pieces)
    async with server.running() as pool:
        for count in (1, 2):
            assert (await server.ask(pool))[1] == b"ok"
            assert server.connections == count


async def test_the_second_of_two_responses_leaves_nothing_in_the_first() -> None:
    second = b"HTTP/1.1 404 No\r\nx-second: 1\r\ncontent-length: 6\r\n\r\nsecond"
    server = Server(OK + second)
    async with server.running() as pool:
        connection, body = await server.ask(pool)
        assert (connection.status, body) == (200, b"ok")
        assert connection.headers == [(b"content-length", b"2")]


@pytest.mark.parametrize("unasked", [OK, b"H", b"\r\n", b"garbage"], ids=["response", "a byte", "line end", "garbage"])
async def test_what_comes_unasked_ends_an_idle_connection(unasked: bytes) -> None:
    server = Server(OK, unasked)
    async with server.running() as pool:
        await server.ask(pool)
        await asyncio.wait_for(server.ended.wait(), 5)
        assert (await server.ask(pool))[1] == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize("unasked", [OK, b"\r\n"], ids=["response", "line end"])
async def test_what_comes_before_the_first_request_ends_the_connection(unasked: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(unasked)
        await reader.read()
        writer.close()

    server = Server(serve=serve)
    async with server.running() as pool:
        connection = await pool.connection(server.origin, fresh=False, seconds=5)
        await until(lambda: not connection.is_open)
        connection.send(HEAD, [])
        with pytest.raises(LostError):
            await connection.read()


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_body_that_ends_with_its_connection(version: bytes) -> None:
    server = Server(b"HTTP/%s 200 OK\r\n\r\none" % version, b"two", close=True)
    async with server.running() as pool:
        assert (await server.ask(pool))[1] == b"onetwo"


@pytest.mark.parametrize(
    ("pieces", "reset"),
    [
        pytest.param([], False, id="nothing"),
        pytest.param([OK[:-1]], False, id="half a body"),
        pytest.param([OK[:-1]], True, id="half a body and a reset"),
        pytest.param([b"HTTP/1.1 200 OK\r\n\r\nok"], True, id="a reset is no end"),
        pytest.param([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n"], False, id="no last chunk"),
    ],
)
async def test_a_connection_that_is_lost(pieces: list[bytes], reset: bool) -> None:
    server = Server(*pieces, close=True, reset=reset)
    async with server.running() as pool:
        with pytest.raises(LostError) as lost:
            await server.ask(pool)
        assert not isinstance(lost.value, NotHttpError)


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"220 smtp ready\r\n", id="smtp"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000, id="endless headers"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", id="upgrade"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000, id="endless preliminaries"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok", id="two lengths"),
    ],
)
async def test_what_is_not_http(piece: bytes) -> None:
    server = Server(piece)
    async with server.running() as pool:
        with pytest.raises(NotHttpError):
            await server.ask(pool)


async def test_silence() -> None:
    server = Server(OK[:-1])
    async with server.running() as pool:
        connection = await pool.connection(server.origin, fresh=False, seconds=5)
        connection.send(HEAD, [])
        assert await connection.read() == b"o"
        connection.limit_silence(0.1)
        await asyncio.sleep(0.3)  # whoever does not read may take any time
        with pytest.raises(SilentError):
            await connection.read()
        connection.release()
        await server.ended.wait()


async def test_a_limit_on_silence_ends_with_its_response() -> None:
    """The next request on the same connection may wait for longer."""
    server = Server(OK)
    async with server.running() as pool:
        connection = await pool.connection(server.origin, fresh=False, seconds=5)
        connection.send(HEAD, [])
        assert await connection.read() == b"ok"
        connection.limit_silence(0.05)
        connection.release()
        assert await pool.connection(server.origin, fresh=False, seconds=5) is connection
        server.delay = 0.3
        connection.send(HEAD, [])
        assert await connection.read() == b"ok"
        connection.release()
