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
_OBJECT = re.compile(rb',"usage":\{(?:[^{}]|\{[^{}]*\})*\}')
_NUMBER = re.compile(rb"\d+")
_NO_CHOICES = b'"choices":[]'


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
        """The last chunk of the form, from the number of tokens in all."""

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
        if self._mark and not self._busy and piece.endswith(self._end):
            if piece.find(b"\n\n") == len(piece) - 2:
                chunk, found, latest = piece.rpartition(self._mark)
                if found and piece.startswith(self._beginning or b""):
                    self._latest = latest
                    return chunk + self._stripped
            elif kept := self._cut(piece):
                return kept
        passed, complete = self._buffer.take(piece)
        if complete:
            complete = b"".join([self._without_usage(event) for event in split(complete)])
        kept = self._next.feed(passed + complete) if passed or complete else b""
        self._busy = bool(self._buffer.held) or self._next.holding
        return kept

    def end(self) -> bytes:
        """Passes on what was held."""
        rest = self._buffer.rest()
        self._busy = False
        return (self._next.feed(rest) if rest else b"") + self._next.end()

    def _cut(self, piece: bytes) -> bytes:
        """Several chunks without usage; nothing if not all events are of the form."""
        assert self._form is not None  # noqa: S101
        mark, bracket, end = self._mark, self._form.bracket, self._end[:-2]
        beginning = self._beginning
        events = piece.split(b"\n\n")
        events.pop()
        kept = []
        at = 0
        for event in events:
            at = event.rfind(b"]")
            if not event.startswith(mark, at - bracket) or not event.endswith(end):
                return b""
            if beginning and not event.startswith(beginning):
                return b""
            kept.append(event[:at])
        self._latest = events[-1][at - bracket + len(mark) :]
        kept.append(b"")
        return b"]}\n\n".join(kept)

    def _without_usage(self, event: bytes) -> bytes:
        at = event.rfind(_USAGE)
        if at < 0 or _NO_CHOICES in event:
            return event
        self._read_latest()
        content = read_usage(event, self._chunks)
        found = _OBJECT.match(event, at)
        if content is None or found is None:
            return event
        if self._form is None and (form := ChunkForm.of(event)):
            self._form = form
            self._mark, self._end = form.mark, form.end
            self._stripped = form.mark[: form.bracket + 1] + b"}\n\n"
            self._beginning = form.beginning if self._beginning is None else b""
        return event[:at] + event[found.end() :]

    def _read_latest(self) -> None:
        if self._latest:
            total, completion = (int(number) for number in _NUMBER.findall(self._latest)[:2])
            self._chunks.so_far(0, total - completion, completion)
            self._latest = b""
