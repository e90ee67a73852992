"""Usage of streams of completions that were asked for it although their client was not."""

import re
from collections.abc import Iterator

import orjson

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.metering.event_errors import ERROR, EventErrors
from serve_app.gateway.metering.event_stream import USAGE, EventReader, read_usage
from serve_app.gateway.metering.events import ENDS, split

_USUAL_NULL = b',"usage":null'
_NULL = re.compile(rb',\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,\s*')
_FINISHED = b'"finish_reason":"'
_FINGERPRINT = b'"system_fingerprint"'
_CHUNK_END = b"}]}"


class StrippedEventStream(EventReader):
    """Reads the usage of a stream and takes out all that is there because usage was asked for.

    That is the event without choices that holds it, and `"usage": null` in other servers' chunks. vLLM also moves
    `system_fingerprint` from the chunk with `finish_reason` to that event, so it is put back. Such a chunk therefore
    waits for the event after it, which vLLM sends in the same moment. Of several choices (`n`) it is put back into
    those that finish last; the others were passed on long before.
    """

    __slots__ = ("_finished", "_unasked")

    def __init__(self, shape: Shape, errors: EventErrors | None = None, choices: int = 1) -> None:
        super().__init__(shape, errors, choices)
        self._finished = b""
        """The chunks that finish choices, until the event after them is there."""
        self._unasked = False
        """Whether usage is in chunks with choices: the server reports it anyhow, so nothing is taken out."""

    @property
    def holding(self) -> bool:
        """Whether a chunk waits for the event after it, or for its own end."""
        return bool(self._finished or self._buffer.held)

    def feed(self, piece: bytes) -> bytes:
        """Reads the events that end in the piece and takes out what the client did not ask for."""
        if (
            not self._buffer.held
            and not self._finished
            and piece.endswith(ENDS)
            and piece.rfind(USAGE) < 0  # `in` takes twice as long for bytes
            and piece.rfind(_FINISHED) < 0
            and piece.rfind(ERROR) < 0
        ):
            return piece
        passed, complete = b"", piece
        if self._buffer.held or not piece.endswith(ENDS):
            passed, complete = self._buffer.take(piece)
        if passed:
            passed = self._finished + passed
            self._finished = b""
        return passed + b"".join(self._rewritten(complete))

    def end(self) -> bytes:
        """Passes on what was held."""
        rest = self._finished + self._buffer.rest()
        self._finished = b""
        return rest

    def _rewritten(self, complete: bytes) -> Iterator[bytes]:
        for event in split(complete):
            kept = event
            if USAGE in event:
                content = read_usage(event, self._events)
                if content is None:
                    kept = event.replace(_USUAL_NULL, b"") if _USUAL_NULL in event else _NULL.sub(b"", event)
                elif content.get("choices"):
                    self._unasked = True
                elif not self._unasked:
                    yield self._with_fingerprint(content.get("system_fingerprint"))
                    self._finished = b""
                    continue
            elif ERROR in event:
                kept = self._errors.shaped(event)
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
        return b"".join(event.rstrip()[:-1] + added + event[len(event.rstrip()) :] for event in split(self._finished))
