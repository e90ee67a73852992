"""The client: one connection that asks for one answer at a time and looks at as little of it as it can."""

import asyncio
import re
import time
from typing import cast

KEY = "sk-bench"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


class FailedError(Exception):
    """No answer, a broken one, or one that is not a 200."""


def request(
    model: str, *, stream: bool, text: str = "word " * 100, more: str = "", path: str = "", key: str = KEY
) -> bytes:
    """A chat completion as bytes; `more` is added to its JSON, `path` comes before /v1."""
    flag = "true" if stream else "false"
    body = f'{{"model": "{model}", "stream": {flag}, "messages": [{{"role": "user", "content": "{text}"}}]{more}}}'
    lines = (
        f"POST {path}/v1/chat/completions HTTP/1.1",
        "host: bench",
        f"authorization: Bearer {key}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Client(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport
    done: asyncio.Future[None] | None = None
    opened: asyncio.Future[None]
    first: float = 0
    """When the first byte of the last answer's body came, on the clock of `time.perf_counter`."""
    pause: float = 0
    """Seconds between two looks at a body: what came meanwhile is read at once, which saves the client's CPU time."""

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1") -> "Client":
        """Connects.

        Raises:
            FailedError: Nobody took the connection.
        """
        try:
            _, client = await asyncio.get_running_loop().create_connection(cls, host, port)
        except OSError as error:
            raise FailedError(f"cannot connect: {error}") from error
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def begin(self, request: bytes) -> None:
        """Sends a request. `opened` is done when the answer's body begins, `done` at its end."""
        loop = asyncio.get_running_loop()
        self.opened, self.done = loop.create_future(), loop.create_future()
        self.head, self.in_body, self.status, self.left = b"", False, b"", -1
        self.body: list[bytes] | None = None
        if self.transport.is_closing():
            self._end(FailedError("closed between two requests"))
        else:
            self.transport.write(request)

    async def ask(self, request: bytes) -> None:
        """Asks and waits for the end of the answer.

        Raises:
            FailedError: It was not a whole answer with status 200.
        """
        self.begin(request)
        assert self.done
        await self.done

    async def read(self, request: bytes) -> bytes:
        """Asks, and returns the answer's body as it came, with its chunk marks."""
        self.begin(request)
        self.body = []
        assert self.done
        await self.done
        return b"".join(self.body)

    def data_received(self, data: bytes) -> None:
        if not self.in_body:
            self.head += data
            head, mark, data = self.head.partition(b"\r\n\r\n")
            if not mark:
                return
            self.status = head[9:12]
            length = _LENGTH.search(head)
            self.left = int(length[1]) if length else -1
            if self.left and not data:
                return  # the head alone: its body's first byte is yet to come
            self.in_body, self.head = True, b""
            self.first = time.perf_counter()
            if not self.opened.done():
                self.opened.set_result(None)
        if self.body is not None or self.status != b"200":
            self.body = [*(self.body or []), data]
        if self.left >= 0:
            self.left -= len(data)
            complete = self.left <= 0
        else:
            self.head = data[-5:] if len(data) >= len(_LAST_CHUNK) else (self.head + data)[-5:]
            complete = self.head == _LAST_CHUNK
        if complete:
            told = b"".join(self.body or [])[:300].decode(errors="replace")
            self._end(None if self.status == b"200" else FailedError(f"status {self.status.decode()}: {told}"))
        elif self.pause:
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(self.pause, self.transport.resume_reading)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(FailedError("connection closed before the answer's end"))

    def _end(self, error: FailedError | None) -> None:
        if self.done is None or self.done.done():
            return
        for future in (self.opened, self.done):
            if not future.done():
                if error:
                    future.set_exception(error)
                    future.exception()  # seen: not everybody waits for both
                else:
                    future.set_result(None)

    def close(self) -> None:
        """Ends the connection; what was asked for is not waited for."""
        self.done = None
        self.transport.abort()
