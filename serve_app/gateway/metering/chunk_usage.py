"""Usage so far in each chunk of a stream: read, so that a stream which is left early has its tokens, and taken out."""

import re

import msgspec

from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.event_stream import LONGEST_HELD, EventStream
from serve_app.gateway.metering.reader import Reader
from serve_app.gateway.metering.tokens import from_openai

_ENDS = (b"\n\n", b"\n\r\n")
_USAGE = b',"usage":{'
_NO_CHOICES = b'"choices":[]'
_IN_CHUNK = re.compile(rb'(?<!"choices":\[\]),"usage":(\{(?:[^{}]|\{[^{}]*\})*\})')
"""No text can look like it: inside JSON's strings the quotes are escaped."""


class ChunkUsage(EventStream):
    """Takes the usage out of a vLLM stream's chunks, which the gateway has asked for (`continuous_usage_stats`).

    vLLM writes it as `,"usage":{…}` behind the choices. The event at the end, without choices, is left to the reader
    behind this one, which gets whole events only.
    """

    __slots__ = ("_last", "_next", "_total")
    _longest = LONGEST_HELD

    def __init__(self, following: Reader) -> None:
        """Begins a stream.

        Args:
            following: Gets the events, reads the usage at the end, and decides what else is taken out.
        """
        self._total: Usage | None = None
        super().__init__("openai")
        self._next = following
        self._last = b""

    @property
    def usage(self) -> Usage | None:
        """What was reported so far: a lower bound until the event at the end."""
        if self._next.usage is not None or not self._last:
            return self._next.usage
        return from_openai(msgspec.json.decode(self._last), partial=True)

    @usage.setter
    def usage(self, usage: Usage | None) -> None:
        self._total = usage

    def feed(self, piece: bytes) -> bytes:
        """Reads the events that end in the piece, and takes their usage out."""
        if self._held or not piece.endswith(_ENDS):
            passed, piece = self._cut(piece)
            if passed:
                return self._next.feed(passed + self._stripped(piece))
            if not piece:
                return b""
        return self._next.feed(self._stripped(piece))

    def end(self) -> bytes:
        """Passes on what was held."""
        rest = bytes(self._held[self._passed :])
        self._held.clear()
        return (self._next.feed(rest) if rest else b"") + self._next.end()

    def _stripped(self, events: bytes) -> bytes:
        at = events.rfind(_USAGE)
        if at < 0:
            return events
        if events.find(_USAGE, 0, at) < 0:  # one chunk, as most pieces are
            if events.endswith(_NO_CHOICES, 0, at):
                return events
            found = _IN_CHUNK.match(events, at)
            if found is None:
                return events
            self._last = found[1]
            return events[:at] + events[found.end() :]
        for found in _IN_CHUNK.finditer(events):
            self._last = found[1]
        return _IN_CHUNK.sub(b"", events)
