import json
import tracemalloc
from typing import Any

import pytest

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS
from serve_app.gateway.http.envelope import Envelope, read_envelope

CHAT = "/v1/chat/completions"
MANY_OBJECTS = b'{"model": "a", "messages": [' + b"{}," * 3_000_000 + b"{}]}"


def envelope_of(raw: bytes | dict[str, Any], path: str = CHAT) -> Envelope:
    return read_envelope(raw if isinstance(raw, bytes) else json.dumps(raw).encode(), APIS[path])


def test_what_the_gateway_has_to_know_is_read() -> None:
    fields = {
        "model": "a",
        "stream": True,
        "stream_options": {"include_usage": True},
        "user": "é",
        "previous_response_id": "resp_1",
        "store": False,
        "background": True,
        "max_tokens": 1,
        "max_completion_tokens": 2,
        "max_output_tokens": 3,
        "n": 4,
    }
    assert envelope_of(fields | {"messages": [{}], "other": 1}) == Envelope(**fields)


def test_what_is_not_said_is_false_or_empty() -> None:
    assert envelope_of({"model": "a"}) == Envelope(model="a")
    names = "stream", "stream_options", "user", "previous_response_id", "background", "max_tokens", "n"
    assert envelope_of({"model": "a"} | dict.fromkeys(names)) == Envelope(model="a")


@pytest.mark.parametrize("value", [5, True, ["x"], {"x": 1}, "x" * 5000], ids=["int", "bool", "list", "object", "long"])
def test_a_field_that_only_the_model_judges_is_as_good_as_absent_if_it_is_wrong(value: Any) -> None:
    fields = dict.fromkeys(("user", "previous_response_id", "store", "background"), value)
    assert envelope_of({"model": "a"} | fields | ({"background": 1} if value is True else {})) == Envelope(model="a")


@pytest.mark.parametrize(
    ("value", "count"),
    [(5, 5), (5.0, 5), ("5", 5), (-1, -1), (5.5, None), ("x", None), (True, None), ([5], None), (10**40, None)],
    ids=str,
)
def test_numbers_as_vllm_reads_them(value: Any, count: int | None) -> None:
    assert envelope_of({"model": "a", "max_tokens": value, "n": value}) == Envelope(
        model="a", max_tokens=count, n=count
    )


def test_an_api_that_never_streams_is_not_asked_for_a_stream() -> None:
    assert not envelope_of({"model": "a", "stream": True}, "/v1/embeddings").stream
    assert not envelope_of({"model": "a", "stream": "yes", "stream_options": []}, "/tokenize").stream


@pytest.mark.parametrize(
    ("metadata", "user"), [({"user_id": "u"}, "u"), ({"user_id": 1}, ""), ({}, ""), ("u", ""), (None, "")], ids=str
)
def test_the_user_as_anthropics_clients_name_it(metadata: Any, user: str) -> None:
    assert envelope_of({"model": "a", "user": "other", "metadata": metadata}, "/v1/messages").user == user


def test_of_two_models_the_last_counts_as_it_does_for_the_model_server() -> None:
    assert envelope_of(b'{"model": "a", "mod\\u0065l": "b"}').model == "b"


def test_no_tree_is_built_of_a_large_body() -> None:
    tracemalloc.start()
    try:
        assert envelope_of(MANY_OBJECTS).model == "a"
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_text_is_checked_without_a_copy_of_it() -> None:
    raw = json.dumps({"model": "a", "text": "é" * 2_000_000 + "😀"}, ensure_ascii=False).encode()
    tracemalloc.start()
    try:
        assert envelope_of(raw).model == "a"
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    with pytest.raises(ApiError, match="not UTF-8"):
        envelope_of(raw.replace("😀".encode(), b"\xf0\x9f\x98"))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b'{"model": "a"} x', id="more after it"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b'{"model": "a", "user": "\xff"}', id="not UTF-8 in a field"),
        pytest.param(b'{"model": "a", "text": "\xc3', id="cut in a character"),
        pytest.param(b'\xef\xbb\xbf{"model": "a"}', id="byte order mark"),
        pytest.param(b'{"model": "a", "user": "\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"model": "a", "text": "\\udc00"}', id="lone low surrogate"),
        pytest.param(b'{"model": "a", "n": NaN}', id="NaN"),
        pytest.param(b'{"model": "a", "n": -Infinity}', id="infinity"),
        pytest.param(b'{"model": "a", "n": 01}', id="leading zero"),
        pytest.param(b'{"model": "a", "n": [1}}', id="brackets that do not match"),
        pytest.param(b'{"model": "a", "text": "\n"}', id="control character"),
        pytest.param(b'{"model": "a", "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep"),
        pytest.param(b'["model"]', id="list"),
        pytest.param(b'"model"', id="text"),
        pytest.param(b"null", id="null"),
    ],
)
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        envelope_of(raw)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("content", "param"),
    [
        ({}, "model"),
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 1}, "model"),
        ({"model": ["a"]}, "model"),
        ({"model": "a" * 2000}, "model"),
        ({"model": "a", "stream": 1}, "stream"),
        ({"model": "a", "stream": "true"}, "stream"),
        ({"model": "a", "stream_options": []}, "stream_options"),
        ({"model": "a", "stream_options": True}, "stream_options"),
        ({"model": "a", "stream_options": {"x": "x" * 5000}}, "stream_options"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_field_that_the_gateway_needs_and_cannot_use_is_named(content: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as refused:
        envelope_of(content)
    assert (refused.value.status, refused.value.param) == (400, param)
    assert f"'{param}'" in refused.value.message
    assert len(refused.value.message) < 200
