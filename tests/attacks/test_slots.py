"""What takes models' slots and open files, and gives them back only if the gateway sees to it."""

import asyncio
import subprocess
import sys

import pytest

from tests.attacks.hostile import Hostile, asked, head, in_parallel, post
from tests.attacks.stage import Stage, told
from tests.attacks.test_memory import SMALL
from tests.bench.gateway import null_model
from tests.bench.gateway.held import release

STREAMS = 400
KILLED = """
import socket, sys
sockets = []
for _ in range(41):
    sockets.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    sockets[-1].sendall(bytes.fromhex(sys.argv[2]))
sys.stdout.write("sent"); sys.stdout.flush()
sys.stdin.read()
"""


def question(model: str, text: bytes = b"hi") -> bytes:
    """A request for a stream."""
    body = b'{"model": "%s", "stream": true, "messages": [{"role": "user", "content": "%s"}]}'
    return post(body % (model.encode(), text))


@pytest.mark.parametrize("stage", [256], indirect=True)
async def test_more_streams_than_the_soft_limit_of_open_files(stage: Stage) -> None:
    async with stage.attack("400 streams, soft limit of 256 open files", ceiling=SMALL) as row:
        streams = await asyncio.gather(*(Hostile.connected(stage.port) for _ in range(STREAMS)))

        async def open_one(connection: Hostile) -> int:
            await connection.send(question("open", null_model.HOLD))
            return await connection.status(8)

        statuses = await in_parallel(map(open_one, streams))
        row.got = f"{told(statuses)} for a first byte"
        reloads = stage.pod.metric("config_reloads_total")
        stage.pod.configure(stage.pod.configured | {"queue": {"maxRequests": 100}})
        await asyncio.sleep(1.5)
        reloaded = stage.pod.metric("config_reloads_total")
        await release(stage.upstream)
        await asyncio.gather(*(stream.rest(5) for stream in streams))
        for stream in streams:
            stream.reset()
        assert statuses == {200: STREAMS}, row.got
        assert reloads is not None
        assert reloaded == reloads + 1, "the configuration was not reloaded meanwhile"


async def test_readers_that_stop_reading(stage: Stage) -> None:
    async with stage.attack("2 readers stall, 2 slots", ceiling=SMALL) as row:
        stalled = [await Hostile.connected(stage.port, receive_buffer=4096) for _ in range(2)]
        for connection in stalled:
            await connection.send(question("narrow", null_model.FLOOD))
        await asyncio.sleep(0.5)
        # Not reset: the gateway has to end them by itself, while a neighbour waits for their model.
        neighbour = await asked(stage.port, question("narrow"), 10)
        row.got = f"a neighbour at the same model: {neighbour}"
        assert neighbour == 200, row.got
    for connection in stalled:
        connection.reset()


@pytest.mark.parametrize("how", ["killed", "reset"])
async def test_a_client_that_is_gone_with_its_queue(stage: Stage, how: str) -> None:
    held = question("single", null_model.HOLD)
    async with stage.attack(f"a client {how} with 40 requests in the queue, 1 slot", ceiling=SMALL) as row:
        for _ in range(3):
            if how == "killed":
                command = [sys.executable, "-c", KILLED, str(stage.port), held.hex()]
                client = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                assert client.stdout
                await client.stdout.readexactly(4)
                await wait_for_queue(stage, 40)
                client.kill()
                await client.wait()
            else:
                connections = [await Hostile.connected(stage.port) for _ in range(41)]
                for connection in connections:
                    await connection.send(held)
                await wait_for_queue(stage, 40)
                for connection in connections:
                    connection.reset()
            neighbour = await asked(stage.port, question("single"), 10)
            row.got = f"a neighbour at the same model: {neighbour}"
            assert neighbour == 200, row.got


async def wait_for_queue(stage: Stage, length: int) -> None:
    """Waits until so many requests wait."""
    async with asyncio.timeout(10):
        while await asyncio.to_thread(stage.pod.metric, "queue_length") != length:  # noqa: ASYNC110  # another process's
            await asyncio.sleep(0.05)


async def test_connections_that_say_nothing(stage: Stage) -> None:
    async with stage.attack("3,000 connections that say nothing, no key", ceiling=SMALL) as row:
        silent = [await Hostile.connected(stage.port) for _ in range(3000)]
        await asyncio.sleep(1)
        status = await asked(stage.port, head("GET", "/healthz", key=""))
        row.got = f"/healthz: {status}"
        for connection in silent:
            connection.reset()
        assert status == 200
