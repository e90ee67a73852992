import json
import random
from typing import Any

import pytest

from serve_app.gateway.metering.model_field import LONGEST_TEXT, ModelField

from .samples import in_bytes, in_twos

TOP, INNER = ("model",), ("response", "model")
TRAPS: dict[str, Any] = {
    "id": 'a"model":"x\\',
    "metadata": {"model": "x"},
    "tools": [{"model": "x"}, [{"response": {"model": "x"}}]],
    "model_": "x",
    "text": "model",
}
OBJECTS: list[tuple[tuple[str, ...], Any, bool]] = [
    (TOP, TRAPS | {"model": "sparrow", "after": {"model": "x"}}, True),
    (TOP, {"model": 'sp"arr\\ow'}, True),
    (TOP, {"model": ""}, True),
    (TOP, {"model": None, "x": "model"}, False),
    (TOP, {"model": ["x"], "x": 1}, False),
    (TOP, {"x": "model", "y": "x"}, False),
    (TOP, [{"model": "x"}], False),
    (TOP, {}, False),
    (TOP, "model", False),
    (INNER, {"model": "x", "response": TRAPS | {"model": "sparrow"}, "y": {"model": "x"}}, True),
    (INNER, {"response": {"a": 1}, "y": {"model": "x"}}, False),
    (INNER, {"response": "x", "model": "x"}, False),
    (INNER, {"response": [{"model": "x"}]}, False),
]


def replaced(path: tuple[str, ...], *pieces: bytes) -> bytes:
    field = ModelField(path, 'the "chat"')
    return b"".join([field.feed(piece) for piece in pieces]) + field.end()


@pytest.mark.parametrize(("path", "content", "there"), OBJECTS)
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("before", [b"", b'event: a"b\n data: '])
def test_only_the_field_is_replaced_however_it_is_divided(
    path: tuple[str, ...], content: Any, there: bool, indent: int | None, before: bytes
) -> None:
    body = before + json.dumps(content, indent=indent).encode()
    inner = content
    for key in path[:-1] if there else ():
        inner = inner[key]
    if there:
        inner = inner | {"model": 'the "chat"'}
        content = inner if path == TOP else content | {"response": inner}
    expected = before + json.dumps(content, indent=indent).encode()
    draw = random.Random(7)  # noqa: S311
    cuts = sorted(draw.choices(range(len(body)), k=5))
    several = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    for pieces in ((body,), in_bytes(body), several, *in_twos(body)):
        assert replaced(path, *pieces) == expected


def test_after_the_field_nothing_is_looked_at() -> None:
    field = ModelField(TOP, "chat")
    assert field.feed(b'{"model":"a"') == b'{"model":"chat"'
    piece = b',"model":"b"'
    assert field.feed(piece) is piece


def test_all_but_a_string_of_interest_is_passed_on_at_once() -> None:
    field = ModelField(TOP, "chat")
    assert field.feed(b'{"text": {"a": "' + b"x" * 100) == b'{"text": {"a": "' + b"x" * 100
    assert field.feed(b'"}, "mod') == b'"}, '
    assert field.feed(b"el") == b""
    assert field.feed(b'": "sparrow"}') == b'"model": "chat"}'


@pytest.mark.parametrize("start", [b'{"', b'{"model":"', b'{"a":"'])
def test_a_string_without_end_is_not_held(start: bytes) -> None:
    field = ModelField(TOP, "chat")
    passed = field.feed(start)
    for _ in range(3):
        passed += field.feed(b"x" * LONGEST_TEXT)
    assert passed == start + b"x" * (3 * LONGEST_TEXT)
