"""The way through an HTTP proxy: which servers, with which credentials, and what it says when it refuses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from serve_app.gateway.exchange.endpoints import Origin
from serve_app.gateway.upstream.egress_proxy import egress_proxy, tunnel
from serve_app.gateway.upstream.pool import Pool

from .certificates import certificate, server_context
from .connect_proxy import ConnectProxy
from .raw_server import OK, Server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_none_without_a_proxy() -> None:
    assert egress_proxy("api.example.com", 443, tls=True) is None


def test_by_scheme_and_not_for_those_that_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example.com,.svc")
    found = egress_proxy("api.example.com", 443, tls=True)
    assert found is not None
    assert (found.host, found.port, found.header) == ("proxy", 3128, b"")
    assert egress_proxy("api.example.com", 80, tls=False) is None
    assert egress_proxy("inside.example.com", 443, tls=True) is None
    assert egress_proxy("redis.data.svc", 443, tls=True) is None


def test_credentials_are_sent_as_basic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:p%40ss@proxy:3128")
    found = egress_proxy("api.example.com", 443, tls=True)
    assert found is not None
    assert found.header == b"proxy-authorization: Basic bWU6cEBzcw==\r\n"


@pytest.mark.parametrize(
    "url", ["socks5://me:pass@proxy:1080", "https://proxy", "http://", "http://proxy:99999", "http://["]
)
def test_other_proxies_are_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(OSError, match="is not of the form http://HOST:PORT, correct HTTPS_PROXY") as refused:
        egress_proxy("api.example.com", 443, tls=True)
    assert "pass" not in str(refused.value)


def test_a_proxy_without_a_scheme_and_one_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy:3128")
    for tls in (False, True):
        found = egress_proxy("api.example.com", 443, tls=tls)
        assert found is not None
        assert (found.host, found.port) == ("proxy", 3128)


@asynccontextmanager
async def proxy(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[bytes]]:
    """A proxy that says this to all."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        yield asked


async def test_a_tunnel_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy(b"HTTP/1.1 200 Connection established\r\n\r\n", monkeypatch) as asked:
        found = egress_proxy("api.example.com", 443, tls=True)
        assert found is not None
        (await tunnel(found, "api.example.com", 443)).abort()
    assert asked == [b"CONNECT api.example.com:443 HTTP/1.1\r\nhost: api.example.com:443\r\n\r\n"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "refuses: HTTP/1.1 407 Proxy Authentication Required"),
        (b"HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno", "refuses: HTTP/1.1 403 No"),
        (b"HTTP/1.1 2000 ok\r\n\r\n", "refuses: HTTP/1.1 2000 ok"),
        (b"hello\r\n\r\n", "refuses: hello"),
        (b"HTTP/1.1 200 ok\r\n\r\nbytes before TLS", "gave no valid response"),
        (b"HTTP/1.1 200 ok\r\n", "gave no valid response"),
        (b"", "gave no valid response"),
        (b"x" * 20_000, "gave no valid response"),
    ],
)
async def test_a_proxy_that_refuses(answer: bytes, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy(answer, monkeypatch):
        found = egress_proxy("api.example.com", 443, tls=True)
        assert found is not None
        with pytest.raises(OSError, match=says):
            await tunnel(found, "api.example.com", 443)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a server's certificate, which is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
    return tmp_path


async def test_tls_through_a_tunnel(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, way = Server(OK), ConnectProxy(user="me:p@ss")
    async with way.running(), server.running(server_context(trusted)) as pool:
        server.origin = server.origin._replace(host="localhost", external=True)
        monkeypatch.setenv("HTTPS_PROXY", way.url.replace("http://", "http://me:p%40ss@"))
        for _ in range(3):
            assert (await server.ask(pool))[1] == b"ok"
        assert (way.tunnels, server.connections) == ([f"localhost:{server.origin.port}".encode()], 1)
        assert not any(b"proxy-authorization" in request.lower() for request in server.requests)


async def test_without_tls_the_proxy_gets_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    server, way = Server(OK), ConnectProxy(user="me:p@ss")
    async with way.running(), server.running() as pool:
        server.origin = server.origin._replace(host="model.test", external=True)
        monkeypatch.setenv("HTTP_PROXY", way.url.replace("http://", "http://me:p%40ss@"))
        connection = await pool.connection(server.origin, fresh=False, seconds=5)
        assert connection.proxy_header == b"proxy-authorization: Basic bWU6cEBzcw==\r\n"
        connection.close()


async def test_a_certificate_that_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, way = Server(OK), ConnectProxy()
    async with way.running(), server.running(server_context(tmp_path)) as pool:
        server.origin = server.origin._replace(external=True)
        monkeypatch.setenv("HTTPS_PROXY", way.url)
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await server.ask(pool)
        assert way.tunnels
        assert server.requests == []


async def test_models_of_the_stack_are_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(OK)
    async with server.running() as pool:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert (await server.ask(pool))[1] == b"ok"


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 200 ok\r\n", b"HTTP/1.1 200 ok\r\n\r\n"], ids=["nothing", "half", "no TLS"]
)
async def test_a_proxy_that_stalls(monkeypatch: pytest.MonkeyPatch, says: bytes) -> None:
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(says)
        while await reader.read(65536):
            pass
        left.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Pool.opened() as pool:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(TimeoutError):
            await pool.connection(Origin("api.example.com", 443, True, True), fresh=False, seconds=0.2)
        await asyncio.wait_for(left.wait(), 5)
