"""What replicas share about responses: over fakeredis's server, which speaks Redis's protocol."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fakeredis import FakeServer
from fakeredis.aioredis import FakeRedis

from serve_app.gateway.background.supervisor import Supervisor
from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.stored_responses.responses import Responses
from serve_app.gateway.stored_responses.store import ResponseStore
from serve_app.settings.gateway import Redis

MADE = b'{"id":"resp_1","object":"response"}'


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def replicas(server: FakeServer, supervisor: Supervisor) -> AsyncIterator[tuple[Responses, Responses]]:
    clients = [FakeRedis(server=server) for _ in range(2)]
    one, other = (Responses(ResponseStore(client, 0.5), supervisor) for client in clients)
    yield one, other
    for client in clients:
        await client.aclose()


async def test_a_response_that_another_replica_saw_is_found(replicas: tuple[Responses, Responses]) -> None:
    one, other = replicas
    one.reader("sparrow", "chat", Caller(team="birds")).feed(MADE)
    await asyncio.sleep(0.05)
    made = await other.find("resp_1", Caller(team="birds"))
    assert made is not None
    assert (made.model, made.route) == ("sparrow", "chat")


async def test_without_redis_each_knows_its_own(
    replicas: tuple[Responses, Responses], server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = replicas
    server.connected = False
    one.reader("sparrow", "", Caller()).feed(MADE)
    await asyncio.sleep(0.05)
    assert await one.known("resp_1", Caller()) is not None
    assert await other.known("resp_1", Caller()) is None
    assert "background task share responses failed" in caplog.text


async def test_what_does_not_answer_is_not_waited_for() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silence = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with silence:
        url = f"redis://127.0.0.1:{silence.sockets[0].getsockname()[1]}/0"
        async with ResponseStore.opened(Redis(url=url, timeoutSeconds=0.1), None) as store:
            assert store is not None
            async with asyncio.timeout(5):
                assert await Responses(store).known("resp_1", Caller()) is None


async def test_no_redis_no_store() -> None:
    async with ResponseStore.opened(None, None) as store:
        assert store is None
