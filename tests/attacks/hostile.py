"""What attackers send: raw bytes over connections that they keep, leave unread, or reset."""

import asyncio
import collections
import re
import socket
import struct
from collections.abc import Awaitable, Iterable

from tests.attacks.pod import ATTACKER

CHAT = "/v1/chat/completions"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
LOST = 0
"""The status of a request whose connection ended without an answer."""


def head(method: str, path: str, *headers: str, key: str = ATTACKER) -> bytes:
    """A request's head; `key` empty for none."""
    shown = [f"authorization: Bearer {key}"] if key else []
    return "\r\n".join([f"{method} {path} HTTP/1.1", "host: attack", *shown, *headers, "", ""]).encode()


def post(body: bytes, path: str = CHAT, *, length: int | None = None, key: str = ATTACKER) -> bytes:
    """A POST with a JSON body, which may announce another length than it has."""
    size = len(body) if length is None else length
    return head("POST", path, "content-type: application/json", f"content-length: {size}", key=key) + body


def padded(start: bytes, filling: bytes, end: bytes, size: int) -> bytes:
    """A body of about so many bytes."""
    return start + filling * ((size - len(start) - len(end)) // len(filling)) + end


class Hostile:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connected(cls, port: int, *, receive_buffer: int = 0) -> "Hostile":
        """Connects, with a receive buffer of so many bytes if that is not 0."""
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=sock, limit=receive_buffer or 1 << 16))

    async def send(self, data: bytes, seconds: float = 30) -> bool:
        """Sends; False where the gateway closed the connection or took nothing for so many seconds."""
        try:
            self.writer.write(data)
            async with asyncio.timeout(seconds):
                await self.writer.drain()
        except (OSError, TimeoutError):
            return False
        return not self.writer.is_closing()

    async def status(self, seconds: float = 30) -> int:
        """The next answer's status; `LOST` if none came."""
        try:
            async with asyncio.timeout(seconds):
                line = await self.reader.readline()
        except (OSError, TimeoutError, ValueError):
            return LOST
        found = _STATUS.match(line)
        return int(found[1]) if found else LOST

    async def rest(self, seconds: float = 30) -> None:
        """Reads until nothing more comes for a quarter of a second, or so many seconds have passed."""
        try:
            async with asyncio.timeout(seconds):
                while await asyncio.wait_for(self.reader.read(1 << 16), 0.25):
                    pass
        except (OSError, TimeoutError):
            return

    def reset(self) -> None:
        """Ends the connection with a RST."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None and not self.writer.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def is_open(sock: socket.socket) -> bool:
    """Whether the gateway has not closed the connection; reads what was answered on it."""
    sock.setblocking(False)
    try:
        while sock.recv(1 << 16):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


async def asked(port: int, request: bytes, seconds: float = 30) -> int:
    """Sends one request on a connection of its own, reads the answer, and returns its status."""
    try:
        connection = await Hostile.connected(port)
    except OSError:
        return LOST
    try:
        sending = asyncio.create_task(connection.send(request, seconds))
        status = await connection.status(seconds)
        if status == 200:
            await connection.rest(seconds)
        sending.cancel()
        return status
    finally:
        connection.reset()


async def in_parallel(attempts: Iterable[Awaitable[int]]) -> collections.Counter[int]:
    """Waits for all, and counts their statuses."""
    return collections.Counter(await asyncio.gather(*attempts))
