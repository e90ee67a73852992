"""An HTTP proxy on the loopback: tunnels by CONNECT, passes requests with whole URLs on, may ask for a password."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class ConnectProxy:
    """Leads every name to 127.0.0.1, so that a test can see that the name was not looked up before it."""

    def __init__(self, user: str = "") -> None:
        self._authorization = base64.b64encode(user.encode()) if user else b""
        self.url = ""
        self.tunnels: list[bytes] = []
        """What CONNECT named, where it was let through."""
        self.passed: list[bytes] = []
        """Heads of requests with whole URLs."""
        self.refused = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ConnectProxy"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b" ", 2)
            if self._authorization and b"\r\nproxy-authorization: Basic " + self._authorization + b"\r\n" not in head:
                self.refused += 1
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 2\r\n\r\nno")
            elif method == b"CONNECT":
                self.tunnels.append(target)
                port = int(target.rpartition(b":")[2])
                await self._join(reader, writer, port, b"", b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                self.passed.append(head)
                await self._join(reader, writer, urlsplit(target.decode()).port or 80, head, b"")
        writer.close()

    @staticmethod
    async def _join(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, onward: bytes, back: bytes
    ) -> None:
        to_server, from_server = (await asyncio.open_connection("127.0.0.1", port))[::-1]
        to_server.write(onward)
        writer.write(back)
        await asyncio.gather(_copy(reader, to_server), _copy(from_server, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
