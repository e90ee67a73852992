"""What connections hold of their heads, together and one by one."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from serve_app.gateway.http import unfinished_head
from serve_app.gateway.http.protocol import Protocol
from serve_app.gateway.http.unfinished_head import UnfinishedHead

from ..support import until
from .served import HOST, Connection, answer, refusal, server


async def half_heads(port: int, count: int) -> list[Connection]:
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    for _, writer in connections:
        writer.write(HOST + b"a: " + b"x" * 1000)
    return connections


async def test_unfinished_heads_are_bounded_over_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished_head, "MOST_BYTES", 10_000)
    async with server() as port:
        connections = await half_heads(port, 9)
        await until(lambda: UnfinishedHead.total > 9000)
        (reader, writer) = (await half_heads(port, 1))[0]
        assert await refusal(reader) == 503
        writer.close()
        for reader, writer in connections[:4]:  # those that were there go on
            writer.write(b"\r\n\r\n")
            assert (await answer(reader))[0] == 200
        assert UnfinishedHead.total < 6000
        for _, writer in connections:
            writer.close()
        await until(lambda: UnfinishedHead.total == 0)


@pytest.mark.parametrize(
    "offer", [b"", b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n"]
)
async def test_a_head_that_came_in_pieces_counts_no_longer_once_it_is_complete(
    connection: Connection, offer: bytes
) -> None:
    reader, writer = connection
    writer.write(HOST + offer + b"a: x")
    await until(lambda: UnfinishedHead.total > 0)
    writer.write(b"x\r\n\r\n")
    assert (await answer(reader))[0] == 200
    assert UnfinishedHead.total == 0


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[weakref.ref[Protocol]]]:
    """All connections from now on, without a garbage collector."""
    found: list[weakref.ref[Protocol]] = []
    begin = Protocol.connection_made

    def connection_made(self: Protocol, transport: asyncio.Transport) -> None:
        found.append(weakref.ref(self))
        begin(self, transport)

    monkeypatch.setattr(Protocol, "connection_made", connection_made)
    gc.disable()
    yield found
    gc.enable()


async def test_a_connection_closed_within_a_head_is_not_left_to_the_garbage_collector(
    made: list[weakref.ref[Protocol]],
) -> None:
    async with server() as port:
        for _, writer in await half_heads(port, 3):
            await writer.drain()
            writer.close()
        await until(lambda: len(made) == 3 and not any(each() for each in made))


async def test_a_connection_that_waits_for_its_next_request_keeps_nothing_of_the_last(
    made: list[weakref.ref[Protocol]],
) -> None:
    async with server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(HOST + b"a: " + b"x" * 1000 + b"\r\n\r\n")
            assert (await answer(reader))[0] == 200
            kept = made[0]()
            assert kept is not None
            assert not kept.headers
            assert not kept.scope
            assert not kept.cycle.scope
            del kept
        writer.close()
        await until(lambda: made[0]() is None)
