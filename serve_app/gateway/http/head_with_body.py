"""A response's head, written together with the first piece of its body."""

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class HeadWithBody:
    """What a response writes to until its head is sent: that waits for the first piece of the body.

    Both come one right after the other, and each write is a system call, a packet, and a wake-up of the client.
    """

    __slots__ = ("_cycle", "_head", "_transport", "is_closing")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._transport = cycle.transport
        self._head = b""
        self.is_closing = self._transport.is_closing

    def write(self, data: bytes) -> None:
        """Writes data, and the head before it."""
        if not self._cycle.response_started:  # "100 Continue"
            self._transport.write(data)
        elif not self._head:
            self._head = data
        else:
            self._cycle.transport = self._transport
            self._transport.write(self._head + data)

    def close(self) -> None:
        """Closes the connection, after the head."""
        if self._head:
            self._transport.write(self._head)
        self._transport.close()
