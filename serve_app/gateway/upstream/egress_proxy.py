"""HTTP proxies on the way to providers: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment, as curl reads them."""

import asyncio
import base64
from typing import NamedTuple
from urllib.parse import unquote
from urllib.request import (  # type: ignore[attr-defined]  # typeshed has the second for Windows only
    getproxies_environment,
    proxy_bypass_environment,
)

from yarl import URL

_MOST_ANSWER = 16 * 1024


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
    url = URL(text if "://" in text else f"http://{text}")
    if url.scheme != "http" or not url.host:
        raise OSError(f"the proxy {url.with_user(None)} is not of the form http://HOST:PORT, correct HTTPS_PROXY")
    header = b""
    if url.user:
        credentials = f"{unquote(url.raw_user or '')}:{unquote(url.raw_password or '')}".encode()
        header = b"proxy-authorization: Basic " + base64.b64encode(credentials) + b"\r\n"
    return EgressProxy(url.host, url.port or 80, header)


async def tunnel(proxy: EgressProxy, host: str, port: int) -> asyncio.WriteTransport:
    """Opens a connection to a server through a proxy (RFC 9110, section 9.3.6).

    Returns:
        The transport, over which TLS is still to be started.

    Raises:
        OSError: The proxy cannot be reached, or refuses.
    """
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=_MOST_ANSWER)
    try:
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        writer.write(f"CONNECT {place} HTTP/1.1\r\nhost: {place}\r\n".encode() + proxy.header + b"\r\n")
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise OSError(f"the proxy {proxy.host}:{proxy.port} gave no valid answer") from error
        status = head.split(b"\r\n", 1)[0].split(b" ", 2)
        if len(status) < 2 or status[1] != b"200":
            said = head.split(b"\r\n", 1)[0][:200].decode("latin-1")
            raise OSError(f"the proxy {proxy.host}:{proxy.port} refuses: {said}")
    except BaseException:
        writer.transport.abort()
        raise
    return writer.transport
