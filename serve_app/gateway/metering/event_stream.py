"""Usage of answers that are streams of events, of which the client gets all."""

import re
from typing import Any

import orjson

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.event_errors import ERROR, EventErrors
from serve_app.gateway.metering.events import ENDS, OVERLAP, EventBuffer, data_of, last_end, split
from serve_app.gateway.metering.reader import Reader
from serve_app.gateway.metering.tokens import EventUsage

LONGEST_HELD = 1024 * 1024
"""Bytes of an event that a client waits for at most."""
LONGEST_READ = 32 * LONGEST_HELD
"""Bytes of an event; usage in a longer one is not seen. The last event of a response repeats all that its client sent,
and has the usage after it."""

USAGE = b'"usage"'
"""No text can look like it and be followed by a colon: inside JSON's strings its quotes are escaped."""
_OBJECT = re.compile(rb'"usage"\s*:\s*\{')


class EventReader(Reader):
    """What readers of event streams have in common."""

    __slots__ = ("_buffer", "_errors", "_events")
    _longest = LONGEST_HELD
    """Bytes of an event that is read."""

    def __init__(self, shape: Shape, errors: EventErrors | None = None, choices: int = 1) -> None:
        """Begins a stream.

        Args:
            shape: The shape of its API.
            errors: What becomes of errors in it.
            choices: How many answers each prompt gets.
        """
        super().__init__()
        self._errors = errors or EventErrors(shape)
        self._events = EventUsage(shape, choices)
        self._buffer = EventBuffer(self._longest)

    @property
    def usage(self) -> Usage | None:
        """What was reported so far; for messages and responses also what the number of their deltas says."""
        return self._events.usage

    @property
    def error_status(self) -> int:
        """The HTTP status of an error inside the stream; 0 for none."""
        return self._errors.status


class EventStream(EventReader):
    """Reads a stream's usage and passes every piece on as it comes, errors apart."""

    __slots__ = ("_back", "_inside")
    _longest = LONGEST_READ

    def __init__(self, shape: Shape, errors: EventErrors | None = None, choices: int = 1) -> None:
        super().__init__(shape, errors, choices)
        self._back = b""
        """The beginning of an event that may be an error; it is held back until that is known."""
        self._inside = b""
        """The last bytes that were passed on, if they are an event's beginning."""

    @property
    def holding(self) -> bool:
        """Whether the beginning of an event is held back."""
        return bool(self._back)

    def feed(self, piece: bytes) -> bytes:
        """Reads the events that end in the piece."""
        complete = piece
        if self._buffer.held or not piece.endswith(ENDS):
            _, complete = self._buffer.take(piece)
        if complete:
            self._events.count(complete)
            if complete.rfind(USAGE) >= 0:
                for event in split(complete):
                    read_usage(event, self._events)
        if not self._back and not self._inside and complete is piece and piece.rfind(ERROR) < 0:
            return piece
        return self._passed(piece)

    def end(self) -> bytes:
        """Passes on what was held back."""
        back, self._back = self._back, b""
        return back

    def _passed(self, piece: bytes) -> bytes:
        """What of a piece is passed on now, with errors in their shape."""
        before, text = self._inside, self._back + piece
        self._inside = self._back = b""
        end = max(0, last_end(before + text) - len(before))
        whole, begun = text[:end], text[end:]
        if before and not whole:
            self._inside = (before + begun)[-OVERLAP:]
            return begun
        if begun and len(begun) < LONGEST_HELD and self._errors.begins(begun):
            self._back, begun = begun, b""
        self._inside = begun[-OVERLAP:]
        if ERROR in whole:
            events = split(before + whole)
            rest = [events.pop(0)[len(before) :]] if before else []  # of the event whose beginning is gone
            whole = b"".join([*rest, *map(self._errors.shaped, events)])
        return whole + begun


def read_usage(event: bytes, usage: EventUsage) -> dict[str, Any] | None:
    """Reads an event's usage.

    Returns:
        The event's content if it reports usage.
    """
    if not _OBJECT.search(event):
        return None
    try:
        content = orjson.loads(data_of(event))
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) and usage.read(content) else None
