"""Answers under the name that was asked for: a route's, where the configuration wants it in place of the backend's."""

import re
from collections.abc import Mapping

import msgspec

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.event_errors import ERROR
from serve_app.gateway.metering.events import BLANK_LINE, OVERLAP
from serve_app.gateway.metering.model_field import ModelField
from serve_app.gateway.metering.reader import Reader

_KEY = b'"model"'
_IN_EVENTS: Mapping[Shape, tuple[str, ...]] = {
    "openai": ("model",),
    "responses": ("response", "model"),
    "anthropic": ("message", "model"),
}
"""Where an event names its model; not all events of the latter two do."""
_CHUNK = re.compile(rb'(data: \{"id":"[^"\\]*","object":"[^"\\]*","created":\d+,"model":)"(?:[^"\\]|\\.)*"')
"""How vLLM's chunks begin, the same in all chunks of a stream."""
_BEGINNING = rb" is not "
"""What follows the name at the beginning of a message: `sparrow is not a multimodal model`."""


class Renamed(Reader):
    """Replaces the `model` of an answer. It is the last reader: what it gets is what the client would have got."""

    __slots__ = ("_field", "_following")

    def __init__(self, following: Reader, name: str, path: tuple[str, ...] = ("model",)) -> None:
        """Begins an answer.

        Args:
            following: Reads the usage, before the name is replaced.
            name: The name to show.
            path: The keys that lead to the model's name.
        """
        super().__init__()
        self._following = following
        self._field = ModelField(path, name)

    @property
    def usage(self) -> Usage | None:
        """What was reported so far."""
        return self._following.usage

    @property
    def error_status(self) -> int:
        """The HTTP status of an error inside a stream; 0 for none."""
        return self._following.error_status

    def feed(self, piece: bytes) -> bytes:
        """Replaces the name where it ends in the piece."""
        return self._field.feed(self._following.feed(piece))

    def end(self) -> bytes:
        """Passes on what was held."""
        return self._field.feed(self._following.end()) + self._field.end()


class RenamedStream(Renamed):
    """Replaces the `model` in each event of a stream."""

    __slots__ = ("_before", "_chunk", "_model", "_name", "_path", "_renamed_chunk")

    def __init__(self, following: Reader, shape: Shape, model: str, name: str) -> None:
        """Begins a stream.

        Args:
            following: Reads the usage, before the name is replaced.
            shape: The shape of its API.
            model: The name by which the model goes at its server, for errors.
            name: The name to show.
        """
        super().__init__(following, name, _IN_EVENTS[shape])
        self._path = _IN_EVENTS[shape]
        self._model = model
        self._name = name
        self._before = b""
        """The last bytes of an event whose end is still to come; empty between events."""
        self._chunk = self._renamed_chunk = b""

    def feed(self, piece: bytes) -> bytes:
        """Replaces the name in each event."""
        data = self._following.feed(piece)
        return self._renamed(data) if data else b""

    def end(self) -> bytes:
        """Passes on what was held."""
        rest = self._following.end()
        return (self._renamed(rest) if rest else b"") + self._field.end()

    def _renamed(self, data: bytes) -> bytes:
        before = self._before
        if self._chunk and not before and data.endswith(b"\n\n") and data.count(self._chunk) == data.count(b"\n\n"):
            return data.replace(self._chunk, self._renamed_chunk)
        text, renamed, start = before + data, [], 0
        for blank_line in BLANK_LINE.finditer(text):
            end = blank_line.end() - len(before)
            renamed.append(self._event(data[start:end], whole=start > 0 or not before))
            start = end
        rest = data[start:]
        self._before = text[-OVERLAP:] if rest else b""
        renamed.append(self._field.feed(rest))
        return b"".join(renamed)

    def _event(self, event: bytes, *, whole: bool) -> bytes:
        """An event, or the rest of one whose beginning is gone."""
        if whole and _KEY not in event:
            return in_error(event, self._model, self._name) if ERROR in event else event
        renamed = self._field.feed(event) + self._field.end()
        self._field = ModelField(self._path, self._name)
        if not self._chunk and whole and (found := _CHUNK.match(event)):
            self._chunk = found[0]
            self._renamed_chunk = found[1] + msgspec.json.encode(self._name)
        return renamed


def in_object(content: bytes, name: str) -> bytes:
    """A JSON object whose `model` is the name."""
    field = ModelField(("model",), name)
    return field.feed(content) + field.end()


def in_error(error: bytes, model: str, name: str) -> bytes:
    """An error that says the name that was asked for where it quotes the model's, or begins with it, as vLLM's do.

    Args:
        error: The error's JSON, in the shape of the caller's API.
        model: The name by which the model goes at its server.
        name: The name to show.
    """
    pattern = rb"""(?<=[`'"])%s(?=[`'"\\]|%s)""" % (re.escape(msgspec.json.encode(model)[1:-1]), _BEGINNING)
    return re.sub(pattern, lambda _: msgspec.json.encode(name)[1:-1], error)
