"""The connections that no request is answered on, in the order in which one has to go for a new one."""

from typing import Protocol


class Closable(Protocol):
    """A connection."""

    def abort(self) -> None:
        """Ends it at once."""


class IdleConnections:
    """Connections without a request, the one that has been so for the longest first.

    Where a new one exceeds the bound, the first is closed for it: who only holds connections loses them to those who
    ask something.
    """

    def __init__(self) -> None:
        self._connections: dict[Closable, None] = {}

    def add(self, connection: Closable) -> None:
        """Notes that a connection has no request from now on."""
        self._connections.pop(connection, None)
        self._connections[connection] = None

    def remove(self, connection: Closable) -> None:
        """Notes that it has one, or is closed."""
        self._connections.pop(connection, None)

    def close_oldest(self) -> bool:
        """Closes one.

        Returns:
            Whether there was any.
        """
        if not self._connections:
            return False
        oldest = next(iter(self._connections))
        del self._connections[oldest]
        oldest.abort()
        return True
