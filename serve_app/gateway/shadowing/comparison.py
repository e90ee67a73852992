"""Whether two models said the same to one request."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson

from serve_app.gateway.routing.metrics import Comparison

MOST_BYTES = 1024 * 1024
"""Of an answer that are kept; a longer one is not compared."""

_LEADS_TO_TEXT = frozenset(
    (
        "arguments",
        "choices",
        "content",
        "content_block",
        "delta",
        "error",
        "function",
        "message",
        "name",
        "output",
        "partial_json",
        "reasoning",
        "reasoning_content",
        "refusal",
        "response",
        "summary",
        "text",
        "thinking",
        "tool_calls",
    )
)
"""Keys under which the APIs have what a model said: text, reasoning, refusals, calls of tools without their ids."""
_INPUT = "input"
"""Of a tool, as an object; Anthropic's."""
_MADE_UP = frozenset(("created", "created_at", "id", "meta", "model", "usage"))
"""Keys at the top of an answer that differ even where nothing else does."""

Said = dict[tuple[object, ...], str]


class KeptAnswer:
    """An answer, as far as it is kept."""

    __slots__ = ("_pieces", "complete", "size", "status")

    def __init__(self) -> None:
        self.status = 0
        self.complete = False
        self.size = 0
        self._pieces: list[bytes] = []

    def feed(self, piece: bytes) -> None:
        """Keeps a piece of it."""
        self.size += len(piece)
        if self.size <= MOST_BYTES:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    @property
    def succeeded(self) -> bool:
        """Whether it is a whole answer to what was asked."""
        return self.complete and self.status < HTTPStatus.BAD_REQUEST

    @property
    def body(self) -> bytes:
        """All of it, unless it is too long."""
        return b"".join(self._pieces)


def compare(primary: KeptAnswer, shadow: KeptAnswer) -> Comparison:
    """Compares what the caller got with what a copy's model answered.

    Of failures only the class of the status is compared: two models may tell the same refusal in other words.
    """
    if not primary.succeeded or not shadow.succeeded:
        if primary.succeeded:
            return Comparison.SHADOW_FAILED
        if shadow.succeeded or not primary.complete:
            return Comparison.PRIMARY_FAILED
        same_class = shadow.complete and primary.status // 100 == shadow.status // 100
        return Comparison.SAME if same_class else Comparison.DIFFERENT
    if max(primary.size, shadow.size) > MOST_BYTES:
        return Comparison.TOO_LONG
    return Comparison.SAME if what_counts(primary.body) == what_counts(shadow.body) else Comparison.DIFFERENT


def what_counts(body: bytes) -> object:
    """What has to be equal in two answers to be the same.

    That is what the model said, put together over the events of a stream, since those may cut it anywhere. Where it
    said nothing (embeddings, scores, tokens) it is the whole answer without what is made up for each; numbers have to
    be equal to the last digit. Text that is no JSON (transcriptions) counts as it is.
    """
    said: Said = {}
    if body.lstrip()[:1] not in (b"{", b"["):
        events = list(_events(body))
        for event in events:
            _collect(said, (event.get("index"),), event)
        return _spoken(said) if events else body
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    _collect(said, (), content)
    if spoken := _spoken(said):
        return spoken
    return {key: content[key] for key in content.keys() - _MADE_UP} if isinstance(content, dict) else content


def _spoken(said: Said) -> Said:
    return {place: text for place, text in said.items() if text}


def _collect(said: Said, place: tuple[object, ...], value: object) -> None:
    if isinstance(value, str):
        said[place] = said.get(place, "") + value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            at = item.get("index", number) if isinstance(item, dict) else number
            _collect(said, (*place, at), item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in _LEADS_TO_TEXT:
                _collect(said, (*place, key), inner)
            elif key == _INPUT:
                said[*place, key] = orjson.dumps(inner, option=orjson.OPT_SORT_KEYS).decode()


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    """The objects in a stream's events; `[DONE]` and comments are none."""
    for event in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        data = b"\n".join(line[5:] for line in event.split(b"\n") if line.startswith(b"data:"))
        try:
            content = orjson.loads(data)
        except orjson.JSONDecodeError:
            continue
        if isinstance(content, dict):
            yield content
