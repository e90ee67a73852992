"""The way through an HTTP proxy: which servers, with which credentials, and what it says when it refuses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from serve_app.gateway.upstream.egress_proxy import egress_proxy, tunnel


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


def test_other_proxies_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy:1080")
    with pytest.raises(OSError, match="is not of the form http://HOST:PORT, correct HTTPS_PROXY"):
        egress_proxy("api.example.com", 443, tls=True)


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
        (b"hello\r\n\r\n", "refuses: hello"),
        (b"", "gave no valid answer"),
        (b"x" * 20_000, "gave no valid answer"),
    ],
)
async def test_a_proxy_that_refuses(answer: bytes, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxy(answer, monkeypatch):
        found = egress_proxy("api.example.com", 443, tls=True)
        assert found is not None
        with pytest.raises(OSError, match=says):
            await tunnel(found, "api.example.com", 443)
