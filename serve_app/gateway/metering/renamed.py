"""Answers under the name that was asked for: a route's, where the configuration wants it in place of the backend's."""

import re

import msgspec

from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.reader import Reader

_KEY = b'"model"'
_LONGEST_VALUE = 1024


class Renamed(Reader):
    """Replaces the `model` of an answer, in each event of a stream.

    What looks like the key and its value is them: inside JSON's strings the quotes are escaped.
    """

    __slots__ = ("_following", "_held", "_name", "_pattern", "_reported")

    def __init__(self, following: Reader, model: str, name: str) -> None:
        """Begins an answer.

        Args:
            following: Reads the usage, before the name is replaced.
            model: The name by which the model goes at its server.
            name: The name to show.
        """
        self._reported: Usage | None = None
        self._following = following
        super().__init__()
        self._pattern = re.compile(_KEY + rb"\s*:\s*" + re.escape(msgspec.json.encode(model)))
        self._name = _KEY + b":" + msgspec.json.encode(name)
        self._held = b""

    @property
    def usage(self) -> Usage | None:
        """What was reported so far."""
        return self._following.usage

    @usage.setter
    def usage(self, usage: Usage | None) -> None:
        self._reported = usage

    def feed(self, piece: bytes) -> bytes:
        """Replaces the name in what can be passed on; a key that is cut is held back with its value."""
        data = self._pattern.sub(lambda _: self._name, self._held + self._following.feed(piece))
        cut = self._cut(data)
        self._held = data[cut:]
        return data[:cut]

    def end(self) -> bytes:
        """Passes on what was held."""
        data = self._held + self._following.end()
        self._held = b""
        return self._pattern.sub(lambda _: self._name, data)

    @staticmethod
    def _cut(data: bytes) -> int:
        """Where a key begins that may go on in the next piece."""
        at = data.rfind(_KEY)
        if (
            at >= 0
            and len(data) - at < _LONGEST_VALUE
            and data.count(b'"', at + len(_KEY)) < 2
            and b"," not in data[at:]
        ):
            return at
        return next((len(data) - size for size in range(len(_KEY) - 1, 0, -1) if data.endswith(_KEY[:size])), len(data))
