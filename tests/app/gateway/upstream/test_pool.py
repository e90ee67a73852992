import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from .certificates import certificate, server_context
from .raw_server import HEAD, OK, Server


async def test_tls_with_a_certificate_that_is_trusted_and_with_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(OK)
    async with server.running(server_context(tmp_path)) as pool:
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await server.ask(pool)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
    async with server.running(server_context(tmp_path)) as pool:
        assert [(await server.ask(pool))[1] for _ in range(2)] == [b"ok", b"ok"]
        assert server.connections == 1


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Host -> its addresses, in place of the machine's look-up; `asked` has all hosts that were asked for."""
    known: dict[str, list[str]] = {"asked": []}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        if host not in known:
            return real(host, port, *more, **named)
        known["asked"].append(host)
        time.sleep(0.05)  # in a thread
        if not known[host]:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


async def test_a_burst_looks_a_name_up_once(names: dict[str, list[str]]) -> None:
    names["model.test"] = ["127.0.0.1"]
    server = Server(OK)
    async with server.running() as pool:
        server.origin = server.origin._replace(host="model.test")
        answers = await asyncio.gather(*(server.ask(pool) for _ in range(20)))
        assert [body for _, body in answers] == [b"ok"] * 20
        assert server.connections == 20
        assert names["asked"] == ["model.test"]
        await server.ask(pool)
        assert names["asked"] == ["model.test"], "connections are there"
        await server.ask(pool, fresh=True)
        assert names["asked"] == ["model.test"] * 2


async def test_of_several_addresses_the_first_that_answers(names: dict[str, list[str]]) -> None:
    names["model.test"] = ["127.0.0.2", "127.0.0.1"]
    server = Server(OK)
    async with server.running() as pool:
        server.origin = server.origin._replace(host="model.test")
        assert (await server.ask(pool))[1] == b"ok"


async def test_a_name_that_is_not_known_yet(names: dict[str, list[str]]) -> None:
    names["model.test"] = []
    server = Server(OK)
    async with server.running() as pool:
        server.origin = server.origin._replace(host="model.test")
        failures = await asyncio.gather(*(server.ask(pool) for _ in range(3)), return_exceptions=True)
        assert [type(failure) for failure in failures] == [socket.gaierror] * 3
        names["model.test"] = ["127.0.0.1"]
        assert (await server.ask(pool))[1] == b"ok"


async def test_one_that_leaves_leaves_the_others_their_look_up(names: dict[str, list[str]]) -> None:
    names["model.test"] = ["127.0.0.1"]
    server = Server(OK)
    async with server.running() as pool:
        server.origin = server.origin._replace(host="model.test")
        leaves, stays = asyncio.create_task(server.ask(pool)), asyncio.create_task(server.ask(pool))
        await asyncio.sleep(0.01)
        leaves.cancel()
        assert (await stays)[1] == b"ok"
        assert names["asked"] == ["model.test"]


async def test_the_connection_that_was_used_last_is_used_first() -> None:
    """So those beyond the need grow old and are closed."""
    server = Server(OK)
    async with server.running() as pool:
        first = await pool.connection(server.origin, fresh=False, seconds=5)
        second = await pool.connection(server.origin, fresh=False, seconds=5)
        for connection in (first, second):
            connection.send(HEAD, [])
            while await connection.read():
                pass
            connection.release()
        taken = [await pool.connection(server.origin, fresh=False, seconds=5) for _ in range(2)]
        assert taken == [second, first]
        assert server.connections == 2
        for connection in taken:
            connection.close()


async def test_a_connection_that_is_about_to_close_is_not_used_again() -> None:
    server = Server(OK)
    async with server.running() as pool:
        connection, _ = await server.ask(pool)
        connection.data_received(b"unasked")  # it closes in the loop's next turn
        other, body = await server.ask(pool)
        assert other is not connection
        assert (body, server.connections) == (b"ok", 2)


async def test_connections_that_are_idle_for_long_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve_app.gateway.upstream.pool.IDLE_SECONDS", 0.05)
    server = Server(OK)
    async with server.running() as pool:
        connection, _ = await server.ask(pool)
        await asyncio.wait_for(server.ended.wait(), 5)
        assert not connection.is_open
        await server.ask(pool)
        assert server.connections == 2
