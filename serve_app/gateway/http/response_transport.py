"""What a response writes to: its head goes out with the first piece of its body, and its end resets nothing."""

from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class ResponseTransport:
    """Stands before a connection's transport until the head is sent and the request has arrived.

    The head waits for the first piece of the body: both come one right after the other, and each write is a system
    call, a packet, and a wake-up of the client. A connection that is closed while its request arrives is reset, and the
    reset may overtake the response: the client would see a broken connection in place of a 401 or 413.
    """

    __slots__ = ("_cycle", "_head", "_linger", "_transport", "is_closing")

    def __init__(self, cycle: RequestResponseCycle, linger: Callable[[], None]) -> None:
        self._cycle = cycle
        self._linger = linger
        self._transport = cycle.transport
        self._head: bytes | None = b""
        """None once it was sent."""
        self.is_closing = self._transport.is_closing

    def write(self, data: bytes) -> None:
        """Writes data, and the head before it."""
        if self._head is None or not self._cycle.response_started:  # the latter is "100 Continue"
            self._transport.write(data)
        elif not self._head:
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = None
            if not self._cycle.more_body:
                self._cycle.transport = self._transport

    def close(self) -> None:
        """Closes the connection, after the head."""
        if self._head:
            self._transport.write(self._head)
        if self._cycle.more_body:
            self._linger()
        else:
            self._transport.close()
