"""What fills the gateway's memory: bodies, heads, addresses, and what is kept of them."""

import asyncio
import socket
import time

import pytest

from tests.attacks.hostile import CHAT, Hostile, asked, head, in_parallel, is_open, padded, post
from tests.attacks.stage import Stage, told
from tests.bench.gateway import null_model

LARGE = 9_900_000
"""Bytes; below the default `maxBodyBytes`."""
BUFFERED = 64
"""The default of `limits.maxBufferedBytes` in MiB."""
BODIES = 2.5 * BUFFERED
SMALL = 48.0
"""MiB that an attack without bodies may add."""
HEADS = 6000
"""Together more than the process may have in memory."""


async def test_an_endless_trailer_without_a_key(stage: Stage) -> None:
    async def trail() -> int:
        connection = await Hostile.connected(stage.port)
        await connection.send(head("POST", CHAT, "transfer-encoding: chunked", key="") + b"0\r\nx: ")
        end = time.monotonic() + 6
        while time.monotonic() < end and await connection.send(b"a" * 1_000_000, 1):
            pass
        status = await connection.status(2)
        connection.reset()
        return status

    async with stage.attack("endless chunked trailer, no key, 4 connections", ceiling=SMALL) as row:
        row.got = told(await in_parallel(trail() for _ in range(4)))


async def test_sixty_large_bodies_of_one_key_before_two_slots(stage: Stage) -> None:
    start = b'{"model": "narrow", "stream": true, "messages": [{"role": "user", "content": "'
    body = post(padded(start, b"QUFB", b'"}]}', LARGE))
    async with stage.attack("60 bodies of 10 MB of one key, 2 slots", ceiling=BODIES) as row:
        statuses = await in_parallel(asked(stage.port, body) for _ in range(60))
        row.got = told(statuses)
        assert statuses[200] >= 2, row.got
        assert not set(statuses) - {200, 408, 413, 429, 503}, row.got


async def test_large_bodies_are_let_go_once_the_model_has_them(stage: Stage) -> None:
    start = b'{"model": "open", "stream": true, "messages": [{"role": "user", "content": "' + null_model.HOLD
    body = post(padded(start, b"QUFB", b'"}]}', LARGE))

    async def held() -> tuple[int, Hostile]:
        connection = await Hostile.connected(stage.port)
        for attempt in range(20):  # as a client retries a 503
            sending = asyncio.create_task(connection.send(body))
            status = await connection.status(10)
            if status == 200:
                break
            sending.cancel()
            connection.reset()
            await asyncio.sleep(0.1 * attempt)
            connection = await Hostile.connected(stage.port)
        return status, connection

    async with stage.attack("24 streams open at once, each asked for with 10 MB", ceiling=BODIES) as row:
        streams = await asyncio.gather(*(held() for _ in range(24)))
        statuses = [status for status, _ in streams]
        row.got = told({status: statuses.count(status) for status in statuses})
        for _, connection in streams:
            connection.reset()
        assert statuses.count(200) == 24, row.got


async def test_bodies_of_many_small_objects(stage: Stage) -> None:
    body = post(padded(b'{"model": "open", "messages": [', b"{},", b"{}]}", LARGE))
    async with stage.attack("2 bodies of 3.3 million objects", ceiling=BODIES) as row:
        row.got = told(await in_parallel(asked(stage.port, body) for _ in range(2)))


async def test_bodies_of_token_ids_by_a_route(stage: Stage) -> None:
    body = post(padded(b'{"model": "chat", "prompt": [', b"32,", b"1]}", LARGE), "/v1/completions")
    async with stage.attack("8 bodies of 3.3 million token ids, by a route", ceiling=BODIES) as row:
        row.got = told(await in_parallel(asked(stage.port, body) for _ in range(8)))


async def test_large_bodies_written_anew(stage: Stage) -> None:
    start = b'{"model": "renamed", "max_tokens": 5, "messages": [{"role": "user", "content": "'
    body = post(padded(start, b"QUFB", b'"}]}', LARGE))
    async with stage.attack("12 bodies of 10 MB for a provider with other fields", ceiling=BODIES) as row:
        row.got = told(await in_parallel(asked(stage.port, body) for _ in range(12)))


async def test_junk_in_queries(stage: Stage) -> None:
    numbers = iter(range(3000))

    async def ask() -> int:
        connection, status = await Hostile.connected(stage.port), 0
        for number in numbers:
            path = f"/v1/responses/x?model=open&junk={number}{'j' * 40_000}"
            await connection.send(head("GET", path))
            status = await connection.status()
            await connection.reader.read(1 << 16)
            if status != 200:
                connection.reset()
                connection = await Hostile.connected(stage.port)
        connection.reset()
        return status

    async with stage.attack("3,000 queries of 40 kB, each another", ceiling=SMALL) as row:
        row.got = told(await in_parallel(ask() for _ in range(8)))


async def test_huge_paths_without_a_key_neither_fill_memory_nor_the_log(stage: Stage) -> None:
    numbers = iter(range(2000))

    async def ask() -> int:
        connection, status = await Hostile.connected(stage.port), 0
        for number in numbers:
            await connection.send(head("GET", f"/v1/{number}{'p' * 60_000}", key=""))
            status = await connection.status()
            await connection.reader.read(1 << 16)
        connection.reset()
        return status

    before = stage.pod.log_bytes, stage.pod.log_lines
    async with stage.attack("2,000 paths of 60 kB, no key", ceiling=SMALL) as row:
        row.got = told(await in_parallel(ask() for _ in range(8)))
        written, lines = stage.pod.log_bytes - before[0], stage.pod.log_lines - before[1]
        row.got += f"; {written / max(lines, 1):.0f} bytes of log each"
        assert written < 2048 * lines, row.got


@pytest.mark.parametrize(("what", "end"), [("half-sent", b""), ("answered, connections kept", b"\r\n")])
async def test_large_heads_from_many(stage: Stage, what: str, end: bytes) -> None:
    sent = head("GET", "/v1/models", key="")[:-2] + (b"x-filling: " + b"f" * 1000 + b"\r\n") * 58 + end
    connections: list[socket.socket] = []

    def send_all() -> None:
        for _ in range(HEADS):
            try:
                connections.append(socket.create_connection(("127.0.0.1", stage.port), 5))
                connections[-1].sendall(sent)
                time.sleep(0.0005)  # it is about memory, not about the CPU time of 1,000 requests a second
            except OSError:  # refused, or closed meanwhile
                continue

    async with stage.attack(f"{HEADS:,} heads of 60 kB, {what}, no key", ceiling=2 * BUFFERED) as row:
        await asyncio.to_thread(send_all)
        await asyncio.sleep(1)
        row.got = f"{sum(is_open(connection) for connection in connections):,} left open"
        for connection in connections:
            connection.close()


async def test_bodies_that_are_announced_and_never_sent(stage: Stage) -> None:
    announced = post(b'{"model": "open", ', length=LARGE)

    async def announce() -> int:
        connection = await Hostile.connected(stage.port)
        await connection.send(announced)
        status = await connection.status(15)
        connection.reset()
        return status

    async with stage.attack("200 bodies of 10 MB announced, never sent", ceiling=SMALL) as row:
        row.got = told(await in_parallel(announce() for _ in range(200)))


async def test_bodies_that_come_slowly(stage: Stage) -> None:
    start = padded(b'{"model": "open", "messages": "', b"slow", b"", 2_000_000)

    async def drip() -> int:
        connection = await Hostile.connected(stage.port)
        await connection.send(post(start, length=LARGE), 5)
        status = asyncio.create_task(connection.status(15))
        while not status.done() and await connection.send(b"s", 1):  # noqa: ASYNC110  # one byte, then a pause
            await asyncio.sleep(0.1)
        await status
        connection.reset()
        return status.result()

    async with stage.attack("100 bodies, 2 MB at once, then a byte at a time", ceiling=BODIES) as row:
        row.got = told(await in_parallel(drip() for _ in range(100)))


async def test_pipelined_requests_whose_answers_nobody_reads(stage: Stage) -> None:
    piece = head("GET", "/v1/models", key="") * 500 + head("GET", "/v1/models") * 500

    async def pour() -> int:
        connection = await Hostile.connected(stage.port, receive_buffer=4096)
        sent = 0
        while sent < 50 and await connection.send(piece, 1):
            sent += 1
        await asyncio.sleep(1)
        connection.reset()
        return sent

    async with stage.attack("pipelined requests, answers not read, 50 connections", ceiling=SMALL) as row:
        taken = await in_parallel(pour() for _ in range(50))
        row.got = f"at most {max(taken) * 1000:,} requests taken of a connection"
