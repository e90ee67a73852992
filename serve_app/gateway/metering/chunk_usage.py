"""Usage in each chunk of a vLLM stream: read, so that a stream which is left early has its tokens, and cut off."""

import re

from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.chunk_form import ChunkForm
from serve_app.gateway.metering.event_stream import LONGEST_HELD, read_usage
from serve_app.gateway.metering.events import EventBuffer, split
from serve_app.gateway.metering.reader import Reader
from serve_app.gateway.metering.tokens import EventUsage

_USAGE = b',"usage":{'
"""As vLLM writes it, behind the choices. No text can look like it: inside JSON's strings the quotes are escaped."""
_OBJECT = re.compile(rb',"usage":\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}')
_NUMBERS = re.compile(rb'(\d+),"completion_tokens":(\d+)')
_NO_CHOICES = b'"choices":[]'
_NO_MARK = b"\n\n"
"""In no event before its end."""


class ChunkUsage(Reader):
    """Cuts the usage off the chunks that have it because of `continuous_usage_stats`.

    All else is the next reader's: what the client did not ask for of the event at the end, and errors.

    An engine's stream is thousands of chunks of one form, so that form is learned from the first one of them. For the
    others a few searches from their end do; only the last one's numbers are read, and only when somebody asks.
    """

    __slots__ = ("_beginning", "_buffer", "_busy", "_chunks", "_end", "_form", "_latest", "_mark", "_next", "_stripped")

    def __init__(self, following: Reader, *, choices: int, prompts: bool) -> None:
        """Begins a stream.

        Args:
            following: The next reader; it gets whole events.
            choices: How many answers each prompt gets.
            prompts: Whether there may be several prompts.
        """
        super().__init__()
        self._next = following
        self._buffer = EventBuffer(LONGEST_HELD)
        self._chunks = EventUsage("openai", choices)
        self._busy = False
        """Whether something is held, here or behind."""
        self._beginning = b"" if choices == 1 and not prompts else None
        """How chunks of the first choice begin, where there may be other choices."""
        self._form: ChunkForm | None = None
        self._mark = self._end = self._stripped = b""
        """Parts of the form, and the end of a chunk without usage: attributes of its own are quicker."""
        self._latest = b""
        """The last chunk of the first choice, or its end with the numbers of tokens."""

    @property
    def usage(self) -> Usage | None:
        """The total once it was reported; before that what the last chunks said, as partial."""
        if self._next.usage is not None:
            return self._next.usage
        self._read_latest()
        return self._chunks.usage

    @property
    def error_status(self) -> int:
        """The HTTP status of an error inside the stream; 0 for none."""
        return self._next.error_status

    @property
    def holding(self) -> bool:
        """Whether something is held, here or behind."""
        return self._busy

    def feed(self, piece: bytes) -> bytes:
        """Cuts the usage off the chunks that end in the piece."""
        if self._buffer.held or not piece.endswith(b"\n\n"):
            passed, complete = self._buffer.take(piece)
            kept = self._next.feed(passed) if passed else b""
            kept += self._without_usage(complete) if complete else b""
            self._busy = bool(self._buffer.held) or self._next.holding
            return kept
        if self._mark and not self._busy and piece.endswith(self._end) and piece.find(b"\n\n") == len(piece) - 2:
            chunk, found, latest = piece.rpartition(self._mark)  # one chunk, as most pieces are
            if found and (not self._beginning or piece.startswith(self._beginning)):
                self._latest = latest
                return chunk + self._stripped
        kept = self._without_usage(piece)
        self._busy = self._next.holding
        return kept

    def end(self) -> bytes:
        """Passes on what was held."""
        rest = self._buffer.rest()
        self._busy = False
        return (self._next.feed(rest) if rest else b"") + self._next.end()

    def _without_usage(self, complete: bytes) -> bytes:
        """Whole events without usage; those of the form go past the next reader."""
        events = complete.split(b"\n\n")
        if events.pop() or b"\r" in complete:
            return b"".join(map(self._other, split(complete)))
        if len(events) == 1:
            return self._other(complete)
        kept: list[bytes] = []
        mark, bracket, end, beginning = self._parts()
        for event in events:
            at = event.rfind(b"]")
            if event.startswith(mark, at - bracket) and event.endswith(end) and event.startswith(beginning):
                kept.append(event[:at])
                kept.append(b"]}\n\n")
                self._latest = event
            else:
                kept.append(self._other(event + b"\n\n"))
                mark, bracket, end, beginning = self._parts()
        return b"".join(kept)

    def _parts(self) -> tuple[bytes, int, bytes, bytes]:
        """The form's parts; no event has these while the next reader holds something, and has to get all."""
        if self._form is None or self._next.holding:
            return _NO_MARK, 0, b"", b""
        return self._mark, self._form.bracket, self._end[:-2], self._beginning or b""

    def _other(self, event: bytes) -> bytes:
        """Any event without usage, through the next reader."""
        at = event.rfind(_USAGE)
        found = _OBJECT.match(event, at) if at >= 0 and _NO_CHOICES not in event else None
        if found is not None:
            if self._mark and event.startswith(self._beginning or b""):
                self._latest = event[at:]  # the chunk that finishes: read like the others
                event = event[:at] + event[found.end() :]
            else:
                self._read_latest()
                if read_usage(event, self._chunks):
                    self._learn(event)
                    event = event[:at] + event[found.end() :]
        return self._next.feed(event)

    def _learn(self, event: bytes) -> None:
        if self._form is None and (form := ChunkForm.of(event)):
            self._form = form
            self._mark, self._end = form.mark, form.end
            self._stripped = form.mark[: form.bracket + 1] + b"}\n\n"
            self._beginning = form.beginning if self._beginning is None else b""

    def _read_latest(self) -> None:
        if self._latest and (found := _NUMBERS.search(self._latest)):
            total, completion = int(found[1]), int(found[2])
            self._chunks.so_far(0, total - completion, completion)
        self._latest = b""
