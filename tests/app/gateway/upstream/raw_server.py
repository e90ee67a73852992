"""A server that speaks raw bytes, on the loopback."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from socket import SO_LINGER, SOL_SOCKET

from serve_app.gateway.exchange.endpoints import Origin
from serve_app.gateway.upstream.connection import Connection
from serve_app.gateway.upstream.pool import Pool

HEAD = b"GET / HTTP/1.1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers each request with the same bytes, and ends the connection if it is told to."""

    def __init__(self, *pieces: bytes, close: bool = False, reset: bool = False, serve: Serve | None = None) -> None:
        self.pieces, self.close, self.reset = pieces, close, reset
        self.delay = 0.0
        """Seconds before each answer."""
        self.connections = 0
        self.requests: list[bytes] = []
        self.origin = Origin("127.0.0.1", 0, False)
        self.ended = asyncio.Event()
        self._serve = serve or self._answer

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                await asyncio.sleep(self.delay)
                for piece in self.pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                if self.reset:  # closed without these it would say goodbye
                    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                if self.close:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended.set()
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self, context: ssl.SSLContext | None = None) -> AsyncIterator[Pool]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.origin = Origin("127.0.0.1", server.sockets[0].getsockname()[1], context is not None)
        async with server, Pool.opened() as pool:
            yield pool

    async def ask(self, pool: Pool, *, fresh: bool = False) -> tuple[Connection, bytes]:
        """Asks, reads to the end, and releases."""
        connection = await pool.connection(self.origin, fresh=fresh, seconds=5)
        connection.send(HEAD, [])
        body = b""
        try:
            while piece := await connection.read():
                body += piece
        finally:
            connection.release()
        return connection, body
