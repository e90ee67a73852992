"""A connection to a model without a network: any segments are its response."""

import asyncio
from dataclasses import dataclass, field

from serve_app.gateway.upstream.connection import Connection
from serve_app.gateway.upstream.errors import LostError, NotHttpError


class Wire(asyncio.Transport):
    """A transport that delivers what a test says, as long as the connection reads."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.reading = True
        self.open = True

    def writelines(self, list_of_data: object) -> None:
        """Swallows the request."""

    def is_closing(self) -> bool:
        return not self.open

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        if self.open:
            self.open = False
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)

    def end(self, error: Exception | None) -> None:
        """The other end closes."""
        if self.open:
            self.open = False
            self.connection.connection_lost(error)


@dataclass
class Got:
    """What a caller got of a response."""

    connection: Connection
    body: bytes = b""
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    error: Exception | None = None
    most_held: int = 0
    delivered: int = 0
    reused: bool = False


async def receive(segments: list[bytes], *, closes: bool = True, reset: bool = False, at_once: bool = False) -> Got:
    """Sends a request, and delivers the segments as its response.

    Args:
        segments: What comes.
        closes: Whether the other end closes then.
        reset: Whether it does so by a reset.
        at_once: Whether the caller gets no turn between two segments.
    """
    idle: list[Connection] = []
    connection = Connection(idle.append, lambda closed: None)
    wire = Wire(connection)
    connection.connection_made(wire)
    got = Got(connection)
    connection.send(b"GET / HTTP/1.1\r\n\r\n", [])
    moved = asyncio.Event()

    async def deliver() -> None:
        for segment in segments:
            while wire.open and not wire.reading:
                moved.clear()
                await moved.wait()
            if not wire.open:
                return
            connection.data_received(segment)
            got.delivered += len(segment)
            got.most_held = max(got.most_held, connection._size)
            if not at_once:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        if closes:
            wire.end(ConnectionResetError() if reset else None)

    delivering = asyncio.create_task(deliver())
    try:
        async with asyncio.timeout(5):
            while piece := await connection.read():
                got.body += piece
                moved.set()
    except (LostError, NotHttpError) as error:
        got.error = error
    moved.set()
    got.status, got.headers = connection.status, list(connection.headers)
    connection.release()
    got.reused = bool(idle)
    await asyncio.wait_for(delivering, 5)
    await asyncio.sleep(0)
    return got
