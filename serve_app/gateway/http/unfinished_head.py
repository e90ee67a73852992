"""Request heads that have begun and not ended: their bytes are bounded over all connections of the process.

Each may be as large as a head may be, and needs no key: some thousands of them would be a pod's memory.
"""

MOST_BYTES = 16 * 1024 * 1024
"""Of all together. An ordinary client's head comes in one piece and never counts here."""


class UnfinishedHead:
    """The head that a connection is receiving."""

    __slots__ = ("size",)
    total = 0
    """Bytes of all connections' unfinished heads."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes so far."""

    def add(self, size: int) -> bool:
        """Counts bytes that arrived without the end; False if all together are too many."""
        self.size += size
        UnfinishedHead.total += size
        return UnfinishedHead.total <= MOST_BYTES

    def end(self) -> None:
        """Called when the head is complete or given up; a second time does nothing."""
        UnfinishedHead.total -= self.size
        self.size = 0
