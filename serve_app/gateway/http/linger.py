"""The end of a connection whose client may still send.

Closed at once, it would be reset by what arrives then, and the reset may overtake the response. So this side is closed
alone, and what comes is read and dropped until the client closes its own.
"""

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl

LINGER_SECONDS = 10.0
LINGER_BYTES = 64 * 1024 * 1024


class Linger:
    """A connection that is closed on this side."""

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        """Closes it, unless it is closed altogether."""
        self._transport = transport
        self._dropped_bytes = 0
        self._limit: asyncio.TimerHandle | None = None
        if not transport.is_closing():
            flow.resume_reading()
            transport.write_eof()
            self._limit = asyncio.get_running_loop().call_later(LINGER_SECONDS, transport.close)

    def drop(self, data: bytes) -> None:
        """Takes what the client sends."""
        self._dropped_bytes += len(data)
        if self._dropped_bytes > LINGER_BYTES:
            self._transport.abort()

    def end(self) -> None:
        """To be called when the connection is closed."""
        if self._limit is not None:
            self._limit.cancel()
