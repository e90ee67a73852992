"""Usage of answers that are streams of events."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.metering.reader import Reader
from serve_app.gateway.metering.tokens import EventUsage

LONGEST_HELD = 1024 * 1024
"""Bytes of an event that a client waits for at most; a longer one is passed on as it comes, and has no usage in it."""
LONGEST_READ = 32 * LONGEST_HELD
"""Where the client does not wait. The last event of a response repeats all that the client sent, usage comes after."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
_ENDS = (b"\n\n", b"\n\r\n")
_OVERLAP = 2
"""Bytes of a blank line that may have come before the one that completes it."""
_EVENT = re.compile(rb".*?\n\r?\n", re.DOTALL)
_USAGE = b'"usage"'
"""No text can look like it and be followed by a colon: inside JSON's strings its quotes are escaped."""
_OBJECT = re.compile(rb'"usage"\s*:\s*\{')
_USUAL_NULL = b',"usage":null'
_NULL = re.compile(rb',\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,\s*')
_FINISHED = b'"finish_reason":"'
_FINGERPRINT = b'"system_fingerprint"'
_CHUNK_END = b"}]}"


class EventStream(Reader):
    """Reads a stream's usage and passes every piece on as it is."""

    __slots__ = ("_held", "_in_events", "_passed")
    _longest = LONGEST_READ

    def __init__(self, shape: Shape) -> None:
        """Begins a stream of an API of this shape."""
        super().__init__()
        self._in_events = EventUsage(shape)
        self._held = bytearray()
        self._passed = 0
        """How many of the held bytes have been passed on: above 0 only inside an event that is too long."""

    def feed(self, piece: bytes) -> bytes:
        """Reads the events that end in the piece."""
        if self._held or piece.rfind(_USAGE) >= 0 or not piece.endswith(_ENDS):
            _, complete = self._cut(piece)
            if _USAGE in complete:
                for event in _events(complete):
                    self._read(event)
        return piece

    def _read(self, event: bytes) -> dict[str, Any] | None:
        """The content of an event that reports usage."""
        if not _OBJECT.search(event):
            return None
        try:
            content = orjson.loads(b"\n".join(_data(event)))
        except orjson.JSONDecodeError:
            return None
        if not isinstance(content, dict) or not (usage := self._in_events.of(content)):
            return None
        self.usage = usage
        return content

    def _cut(self, piece: bytes) -> tuple[bytes, bytes]:
        """Takes a piece; keeps what is behind its last blank line.

        Returns:
            The rest of an event that is too long, and the events that are complete after it.
        """
        held = self._held
        passed = b""
        start = max(0, len(held) - _OVERLAP)
        if len(held) > self._longest:
            passed = bytes(held[self._passed :])
            del held[:-_OVERLAP]
            start, self._passed = 0, _OVERLAP
        held += piece
        if self._passed:
            blank_line = _BLANK_LINE.search(held)
            end = blank_line.end() if blank_line else len(held)
            passed += held[self._passed : end]
            if not blank_line:
                del held[:-_OVERLAP]
                self._passed = _OVERLAP
                return passed, b""
            del held[:end]
            start = self._passed = 0
        lf, crlf = held.rfind(b"\n\n", start), held.rfind(b"\n\r\n", start)
        if lf < 0 and crlf < 0:
            return passed, b""
        end = max(lf + 2, crlf + 3)
        complete = bytes(held[:end])
        del held[:end]
        return passed, complete


class StrippedEventStream(EventStream):
    """Reads the usage of a stream of completions and takes out all that is there because usage was asked for.

    That is the event without choices that holds it, and `"usage": null` in other servers' chunks. vLLM also moves
    `system_fingerprint` from the chunk with `finish_reason` to that event, so it is put back. Such a chunk therefore
    waits for the event after it, which vLLM sends in the same moment. Of several choices (`n`) it is put back into
    those that finish last; the others were passed on long before.
    """

    __slots__ = ("_finished", "_unasked")
    _longest = LONGEST_HELD

    def __init__(self, shape: Shape) -> None:
        """Begins a stream of an API of this shape."""
        super().__init__(shape)
        self._finished = b""
        self._unasked = False
        """Whether usage is in chunks with choices: the server reports it anyhow, so nothing is taken out."""

    def feed(self, piece: bytes) -> bytes:
        """Reads the events that end in the piece and takes out what the client did not ask for."""
        if (
            not self._held
            and not self._finished
            and piece.endswith(_ENDS)
            and piece.rfind(_USAGE) < 0  # `in` takes twice as long for bytes
            and piece.rfind(_FINISHED) < 0
        ):
            return piece
        passed, complete = self._cut(piece)
        if passed:
            passed = self._finished + passed
            self._finished = b""
        if _USAGE not in complete and _FINISHED not in complete:
            if complete:
                passed += self._finished + complete
                self._finished = b""
            return passed
        return passed + b"".join(self._rewritten(complete))

    def end(self) -> bytes:
        """Passes on what was held."""
        rest = self._finished + self._held[self._passed :]
        self._finished = b""
        self._held.clear()
        return bytes(rest)

    def _rewritten(self, events: bytes) -> Iterator[bytes]:
        for event in _events(events):
            kept = event
            if _USAGE in event and not self._unasked:
                content = self._read(event)
                if content is None:
                    kept = event.replace(_USUAL_NULL, b"") if _USUAL_NULL in event else _NULL.sub(b"", event)
                elif content.get("choices"):
                    self._unasked = True
                else:
                    yield self._with_fingerprint(content.get("system_fingerprint"))
                    self._finished = b""
                    continue
            elif _USAGE in event:
                self._read(event)
            if _FINISHED in kept and _FINGERPRINT not in kept and kept.rstrip().endswith(_CHUNK_END):
                self._finished += kept
                continue
            yield self._finished
            self._finished = b""
            yield kept

    def _with_fingerprint(self, fingerprint: object) -> bytes:
        if not isinstance(fingerprint, str):
            return self._finished
        added = b"," + _FINGERPRINT + b":" + orjson.dumps(fingerprint) + b"}"
        return b"".join(event.rstrip()[:-1] + added + event[len(event.rstrip()) :] for event in _events(self._finished))


def _events(complete: bytes) -> list[bytes]:
    if b"\r" in complete:
        return _EVENT.findall(complete)
    return [event + b"\n\n" for event in complete.split(b"\n\n")[:-1]]


def _data(event: bytes) -> Iterator[bytes]:
    for line in event.splitlines():
        if line.startswith(b"data:"):
            yield line[5:]
