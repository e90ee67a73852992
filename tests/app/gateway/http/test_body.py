import json
import tracemalloc
from typing import Any

import pytest
from msgspec import UNSET

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS, RETRIEVE
from serve_app.gateway.http.body import MOST_FIELDS, Body, read
from serve_app.gateway.http.pieces import Pieces, size_of
from serve_app.settings.gateway import Limits

from .wire import JSON, receiving

LIMITS = Limits()
CHAT = "/v1/chat/completions"
LARGE = json.dumps({"x": "y" * 100_000}).encode()


async def body_of(raw: bytes | dict[str, Any], path: str = CHAT, content_type: bytes | None = None) -> Body:
    headers = JSON if content_type is None else {b"content-type": content_type}
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return await read(receiving(content), headers, APIS[path], LIMITS)


def sent(pieces: Pieces) -> bytes:
    whole = b"".join(pieces)
    assert size_of(pieces) == len(whole)
    return whole


async def test_an_unchanged_body_is_the_very_bytes_that_came() -> None:
    raw = b'{ "model":"a",\n "temperature": 1.0e0, "big": 123456789012345678901234567890 }'
    body = await body_of(raw)
    assert body.encode({})[0] is body.raw is raw
    assert body.encode({}, {"max_tokens": "other"})[0] is raw


@pytest.mark.parametrize("more", [b"", b', "x": ' + LARGE], ids=["small", "large"])
async def test_fields_that_are_not_changed_keep_their_bytes(more: bytes) -> None:
    kept = b'"seed": 123456789012345678901234567890, "n": 1e999, "text": "\\u00e9\xc3\xa9", "f": [1.0e0,  {"model": 1}]'
    body = await body_of(b'{"model": "route", ' + kept + more + b"}")
    whole = sent(body.encode({"model": "a", "stream_options": {"include_usage": True}}))
    for value in (b"123456789012345678901234567890", b"1e999", b'"\\u00e9\xc3\xa9"', b'[1.0e0,  {"model": 1}]'):
        assert value in whole
    content = json.loads(whole)
    assert content["model"] == "a"
    assert content["stream_options"] == {"include_usage": True}
    assert set(content) == {"model", "stream_options", "seed", "n", "text", "f", *(["x"] if more else [])}
    assert json.loads(sent(body.encode({"model": "b"})))["model"] == "b"


@pytest.mark.parametrize("more", [{}, {"x": "y" * 100_000, "z": "z" * 100_000}], ids=["small", "large"])
async def test_fields_are_left_out_and_renamed(more: dict[str, Any]) -> None:
    body = await body_of({"model": "a", "top_k": 5, "max_tokens": 7, "user": "u"} | more)
    names = {"top_k": "", "max_tokens": "max_completion_tokens", "absent": "other"}
    assert json.loads(sent(body.encode({}, names))) == {"model": "a", "max_completion_tokens": 7, "user": "u"} | more
    assert json.loads(sent(body.encode({"user": UNSET}))) == {"model": "a", "top_k": 5, "max_tokens": 7} | more


async def test_a_field_that_has_the_new_name_already_stays() -> None:
    body = await body_of({"model": "a", "max_tokens": 7, "max_completion_tokens": 8})
    assert json.loads(sent(body.encode({}, {"max_tokens": "max_completion_tokens"})))["max_completion_tokens"] == 8


async def test_what_is_left_out_at_a_model_is_so_if_the_gateway_set_it() -> None:
    body = await body_of({"model": "a"})
    assert json.loads(sent(body.encode({"stream_options": {}}, {"stream_options": ""}))) == {"model": "a"}


async def test_a_body_of_one_large_field() -> None:
    body = await body_of(b'{"model": "a", "x": ' + LARGE + b"}")
    assert json.loads(sent(body.encode({"model": UNSET}))) == {"x": json.loads(LARGE)}


async def test_a_large_body_is_not_copied() -> None:
    body = await body_of(b'{"model": "a", "messages": [' + b"{}," * 1_000_000 + b'{}], "tools": ' + LARGE + b"}")
    tracemalloc.start()
    try:
        pieces = body.encode({"model": "b"})
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert json.loads(sent(pieces))["model"] == "b"


async def test_a_large_body_cannot_fill_the_memory_with_fields() -> None:
    body = await body_of(b'{"model": "a"' + b"".join(b', "%x": 0' % n for n in range(500_000)) + b"}")
    tracemalloc.start()
    try:
        with pytest.raises(ApiError, match=f"more than {MOST_FIELDS} top-level fields") as refused:
            body.encode({"model": "b"})
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert refused.value.status == 400


async def test_of_two_models_the_last_is_replaced() -> None:
    body = await body_of(b'{"model": "a", "model": "b"}')
    assert body.envelope.model == "b"
    assert json.loads(sent(body.encode({"model": "c"}))) == {"model": "c"}


async def test_a_request_without_a_body_has_none() -> None:
    body = await read(receiving(b"dropped"), {}, RETRIEVE, LIMITS)
    assert (body.envelope.model, sent(body.encode({})), sent(body.encode({"model": "a"}))) == ("", b"", b"")


async def test_what_is_read_can_be_written_again_however_deep_it_is() -> None:
    body = await body_of(b'{"model": "a", "n": ' + b"[" * 500 + b"]" * 500 + b"}")
    assert sent(body.encode({"model": "b"})) == b'{"model":"b","n":' + b"[" * 500 + b"]" * 500 + b"}"


@pytest.mark.parametrize("content_type", [b"application/json; charset=utf-8", b"Application/JSON ;x=y"], ids=str)
async def test_ways_to_say_json(content_type: bytes) -> None:
    assert (await body_of({"model": "a"}, content_type=content_type)).envelope.model == "a"


@pytest.mark.parametrize("content_type", [b"", b"text/plain", b"application/x-www-form-urlencoded", b"json"], ids=str)
async def test_a_content_type_that_is_not_the_apis_is_refused(content_type: bytes) -> None:
    for path in (CHAT, "/v1/audio/transcriptions"):
        with pytest.raises(ApiError) as refused:
            await body_of({"model": "a"}, path, content_type)
        assert (refused.value.status, refused.value.code) == (415, "unsupported_content_type")


async def test_its_size_is_limited_by_the_configuration() -> None:
    with pytest.raises(ApiError) as refused:
        await read(receiving(b'{"model": "a"}'), JSON, APIS[CHAT], Limits.model_validate({"maxBodyBytes": 5}))
    assert refused.value.status == 413
