"""The `model` of one JSON object, found and replaced as the object passes, whatever else is called so inside it."""

import re

import msgspec

LONGEST_TEXT = 4096
"""Bytes of a key, or of a model's name; longer ones are none."""

_NEXT = re.compile(rb'["{}\[\],:]')
_IN_STRING = re.compile(rb'["\\]')
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class ModelField:
    """Replaces the text of one field: `("model",)`, or a field of an object in the object, `("response", "model")`.

    It follows the JSON's brackets and strings, so that its bytes may come in any pieces, and passes them on at once.
    After the field nothing is looked at.
    """

    __slots__ = ("_depth", "_done", "_held", "_in_string", "_is_value", "_key", "_name", "_path", "_within")

    def __init__(self, path: tuple[str, ...], name: str) -> None:
        """Starts before the object.

        Args:
            path: The keys that lead to the field.
            name: The text to put there.
        """
        self._path = [msgspec.json.encode(key) for key in path]
        self._name = msgspec.json.encode(name)
        self._held = b""
        """A string that is not whole yet, if it may be a key of the path, or the field's text."""
        self._done = False
        self._depth = 0
        self._within = 0
        """How many objects of the path are open."""
        self._in_string = False
        self._is_value = False
        """Whether a colon came last, of the innermost object of the path."""
        self._key = b""
        """That object's last key."""

    def feed(self, piece: bytes) -> bytes:
        """What to pass on in place of a piece."""
        if self._done:
            return piece
        data, self._held = self._held + piece, b""
        at = 0
        while not self._done:
            if self._in_string:
                found = _IN_STRING.search(data, at)
                if found is None:
                    return data
                at = found.end()
                if found[0] == b'"':
                    self._in_string = False
                elif at == len(data):
                    self._held = data[found.start() :]
                    return data[: found.start()]
                else:
                    at += 1
                continue
            found = _NEXT.search(data, at)
            if found is None:
                return data
            start, at = found.span()
            if found[0] != b'"':
                self._mark(found[0])
                continue
            if not self._depth:
                continue  # outside of the object, in a line of an event
            if self._depth != self._within:
                self._in_string = True
                continue
            text = _STRING.match(data, start, start + LONGEST_TEXT)
            if text is None:
                if len(data) - start < LONGEST_TEXT:
                    self._held = data[start:]
                    return data[:start]
                self._in_string = True
                continue
            at = text.end()
            if not self._is_value:
                self._key = text[0]
            elif self._key == self._path[-1] and self._within == len(self._path):
                self._done = True
                return data[:start] + self._name + data[at:]
        return data

    def end(self) -> bytes:
        """What is left to pass on."""
        held, self._held = self._held, b""
        return held

    def _mark(self, mark: bytes) -> None:
        """Follows the brackets, and where in an object of the path they are."""
        if mark == b"{":
            if self._depth == self._within < len(self._path) and (not self._depth or self._leads_on()):
                self._within += 1
            self._depth += 1
            self._is_value = False
        elif mark == b"[":
            self._depth += 1
        elif mark in b"}]":
            self._depth -= 1
            if self._depth < self._within:
                self._done = True  # an object of the path has ended without the field
        elif self._depth == self._within:
            self._is_value = mark == b":"

    def _leads_on(self) -> bool:
        return self._is_value and self._key == self._path[self._within - 1]
