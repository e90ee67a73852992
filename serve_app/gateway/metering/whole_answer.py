"""Usage of answers that are one JSON object."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.reader import Reader

KEPT = 64 * 1024
"""Bytes of the end of an answer in which usage is looked for with certainty."""
_LONGEST_USAGE = 4096
_MOST_TRIES = 16
"""A client may make a model's answer hold many keys of the name."""


class WholeAnswer(Reader):
    """Finds the top-level usage object of an answer without parsing the answer.

    Answers are long (embeddings, log probabilities), and usage mostly stands close to the end. There it is found with
    certainty: inside a string the quotes around a key would be escaped, and a key is the top level's if what follows
    it, up to the answer's end, closes exactly one brace. Usage that has more than `KEPT` bytes after it (a
    rerank with many documents, long `prompt_logprobs`) is the last object of the name that has been seen before; what
    clients or models write is inside strings in all of those answers.
    """

    __slots__ = ("_earlier", "_key", "_of", "_pieces", "_size", "_value")

    def __init__(self, key: str, of: Callable[[dict[str, Any]], Usage]) -> None:
        """Begins an answer.

        Args:
            key: The name of the object.
            of: Reads it.
        """
        super().__init__()
        self._key = f'"{key}"'.encode()
        self._value = re.compile(rb'"%s"\s*:\s*(?=\{|null)' % key.encode())
        self._of = of
        self._pieces: list[bytes] = []
        self._size = 0
        self._earlier: dict[str, Any] | None = None

    def feed(self, piece: bytes) -> bytes:
        """Keeps the piece for the end."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > 2 * KEPT:
            self._drop()
        return piece

    def end(self) -> bytes:
        """Reads the usage."""
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        found = self._at_top_level(body)
        if found is None:
            found = self._earlier
        if found:
            self._usage = self._of(found)
        return b""

    def _at_top_level(self, body: bytes) -> dict[str, Any] | None:
        """The object; empty where it is null, None where there is none."""
        at = len(body)
        tries = _MOST_TRIES
        while tries and (at := body.rfind(self._key, 0, at)) >= 0:
            if self._value.match(body, at):
                tries -= 1
                try:
                    end: dict[str, Any] = orjson.loads(b"{" + body[at:])
                except orjson.JSONDecodeError:
                    continue  # deeper in the answer
                usage = next(iter(end.values()))
                return usage if isinstance(usage, dict) else {}
        return None

    def _drop(self) -> None:
        body = b"".join(self._pieces)
        at = len(body) - KEPT + len(self._key) - 1  # so that a key is found which the cut would divide
        while (at := body.rfind(self._key, 0, at)) >= 0:
            if (value := self._value.match(body, at)) and (usage := _object(body[value.end() :][:_LONGEST_USAGE])):
                self._earlier = usage
                break
        self._pieces = [body[-KEPT:]]
        self._size = KEPT


def _object(text: bytes) -> dict[str, Any] | None:
    """The object at the beginning of a text, if it holds numbers of tokens."""
    end = 0
    while (end := text.find(b"}", end) + 1) > 0:
        try:
            found: dict[str, Any] = orjson.loads(text[:end])
        except orjson.JSONDecodeError:
            continue
        return found if any(key.endswith("_tokens") for key in found) else None
    return None
