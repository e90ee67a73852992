"""Server-sent events in a stream of bytes."""

import re

ENDS = (b"\n\n", b"\n\r\n")
BLANK_LINE = re.compile(rb"\n\r?\n")
OVERLAP = 2
"""Bytes of a blank line that may have come before the one that completes it."""
_EVENT = re.compile(rb".*?\n\r?\n", re.DOTALL)


class EventBuffer:
    """Holds the beginning of an event until its blank line is there. An event that is too long passes as it comes."""

    __slots__ = ("_longest", "_passed", "held")

    def __init__(self, longest: int) -> None:
        """Starts empty.

        Args:
            longest: Bytes of an event that are held.
        """
        self.held = bytearray()
        """The beginning of an event."""
        self._longest = longest
        self._passed = 0
        """How many of the held bytes have been passed on: above 0 only inside an event that is too long."""

    def take(self, piece: bytes) -> tuple[bytes, bytes]:
        """Adds a piece, and takes out all up to the last blank line.

        Returns:
            The rest of an event that is too long, and the whole events after it.
        """
        held = self.held
        passed = b""
        start = max(0, len(held) - OVERLAP)
        if len(held) > self._longest:
            passed = bytes(held[self._passed :])
            del held[:-OVERLAP]
            start, self._passed = 0, OVERLAP
        held += piece
        if self._passed:
            blank_line = BLANK_LINE.search(held)
            end = blank_line.end() if blank_line else len(held)
            passed += held[self._passed : end]
            if not blank_line:
                del held[:-OVERLAP]
                self._passed = OVERLAP
                return passed, b""
            del held[:end]
            start = self._passed = 0
        end = last_end(held, start)
        complete = bytes(held[:end])
        del held[:end]
        return passed, complete

    def rest(self) -> bytes:
        """Takes out the beginning of an event whose end does not come."""
        rest = bytes(self.held[self._passed :])
        self.held.clear()
        self._passed = 0
        return rest


def last_end(text: bytes | bytearray, start: int = 0) -> int:
    """Where the last event that is whole ends; 0 if none is."""
    lf, crlf = text.rfind(b"\n\n", start), text.rfind(b"\n\r\n", start)
    return max(lf + 2 if lf >= 0 else 0, crlf + 3 if crlf >= 0 else 0)


def split(complete: bytes) -> list[bytes]:
    """The events in bytes that end with a blank line, each with its own."""
    if b"\r" in complete:
        return _EVENT.findall(complete)
    *events, rest = complete.split(b"\n\n")
    events = [event + b"\n\n" for event in events]
    events[-1:] = [event + rest for event in events[-1:]]  # a third line end
    return events


def data_of(event: bytes) -> bytes:
    """The data of an event."""
    if event.startswith(b"data:") and event.find(b"\n") == len(event) - 2:
        return event[5:-2]
    return b"\n".join(line[5:] for line in event.splitlines() if line.startswith(b"data:"))
