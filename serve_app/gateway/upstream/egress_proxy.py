"""HTTP proxies on the way to providers: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, read as urllib does."""

import asyncio
import base64
import re
from typing import NamedTuple
from urllib.parse import unquote
from urllib.request import (  # type: ignore[attr-defined]  # typeshed has the second for Windows only
    getproxies_environment,
    proxy_bypass_environment,
)

from yarl import URL

_MOST_HEAD_BYTES = 16 * 1024
"""Of a proxy's response to CONNECT."""
_END = b"\r\n\r\n"
_SUCCESS = re.compile(rb"HTTP/1\.[01] 2[0-9]{2}( .*)?")


class EgressProxy(NamedTuple):
    """A proxy."""

    host: str
    port: int
    header: bytes
    """The header line with its user and password; empty without."""


def egress_proxy(host: str, port: int, *, tls: bool) -> EgressProxy | None:
    """The proxy that leads to a server; None if there is none, or NO_PROXY names the server.

    Raises:
        OSError: The environment names a proxy that is not an http:// URL.
    """
    if proxy_bypass_environment(f"{host}:{port}") or proxy_bypass_environment(host):
        return None
    proxies = getproxies_environment()
    text = proxies.get("https" if tls else "http") or proxies.get("all")
    if not text:
        return None
    try:
        url = URL(text if "://" in text else f"http://{text}")
    except ValueError:
        url = URL()
    if url.scheme != "http" or not url.raw_host:  # not shown: it may have a password in it
        raise OSError("the proxy of the environment is not of the form http://HOST:PORT, correct HTTPS_PROXY")
    header = b""
    if url.user:
        credentials = f"{unquote(url.raw_user or '')}:{unquote(url.raw_password or '')}".encode()
        header = b"proxy-authorization: Basic " + base64.b64encode(credentials) + b"\r\n"
    return EgressProxy(url.raw_host, url.port or 80, header)


async def tunnel(proxy: EgressProxy, host: str, port: int) -> asyncio.Transport:
    """Opens a connection to a server through a proxy (RFC 9110, section 9.3.6).

    Returns:
        The transport, over which TLS is still to be started.

    Raises:
        OSError: The proxy cannot be reached, or refuses.
    """
    transport, reply = await asyncio.get_running_loop().create_connection(_Reply, proxy.host, proxy.port)
    try:
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        transport.write(f"CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n".encode() + proxy.header + b"\r\n")
        head, end, rest = (await reply.received).partition(_END)
        status_line = head.split(b"\r\n", 1)[0]
        if end and not _SUCCESS.fullmatch(status_line):
            raise OSError(f"the proxy {proxy.host}:{proxy.port} refuses: {status_line[:200].decode('latin-1')}")
        if rest or not end:  # what comes before TLS is nobody's
            raise OSError(f"the proxy {proxy.host}:{proxy.port} gave no valid response")
    except BaseException:
        transport.abort()
        raise
    return transport


class _Reply(asyncio.Protocol):
    """A proxy's response to CONNECT.

    No `StreamReader`: its writer closes the connection when it is collected, and TLS would be started on a closed one.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        """Status line, headers and their end; what came until then if it is no such thing."""

    def data_received(self, data: bytes) -> None:
        """Called with what arrived."""
        self._buffer += data
        if _END in self._buffer or len(self._buffer) > _MOST_HEAD_BYTES:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when the proxy has closed the connection."""
        self._finish()

    def _finish(self) -> None:
        if not self.received.done():
            self.received.set_result(bytes(self._buffer))
