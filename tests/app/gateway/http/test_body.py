import json
from typing import Any

import pytest

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS, RETRIEVE
from serve_app.gateway.http.body import Body, read
from serve_app.settings.gateway import Limits

from .wire import JSON, receiving

LIMITS = Limits()
CHAT = "/v1/chat/completions"


async def body_of(raw: bytes | dict[str, Any], path: str = CHAT, content_type: bytes | None = None) -> Body:
    headers = JSON if content_type is None else {b"content-type": content_type}
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return await read(receiving(content), headers, APIS[path], LIMITS)


async def test_what_the_gateway_has_to_know_is_read() -> None:
    body = await body_of({"model": "a", "stream": True, "user": "u", "n": 1})
    assert (body.model, body.stream, body.user, body.payload["n"]) == ("a", True, "u", 1)


async def test_what_is_not_said_is_false_or_empty() -> None:
    body = await body_of({"model": "a", "stream": None, "stream_options": None, "user": 5})
    assert (body.stream, body.user) == (False, "")


async def test_an_api_that_never_streams_is_not_asked_for_a_stream() -> None:
    assert not (await body_of({"model": "a", "stream": True}, "/v1/embeddings")).stream
    assert not (await body_of({"model": "a", "stream": "yes"}, "/tokenize")).stream


@pytest.mark.parametrize(
    ("metadata", "user"), [({"user_id": "u"}, "u"), ({"user_id": 1}, ""), ({}, ""), ("u", ""), (None, "")], ids=str
)
async def test_the_user_as_anthropics_clients_name_it(metadata: Any, user: str) -> None:
    assert (await body_of({"model": "a", "user": "other", "metadata": metadata}, "/v1/messages")).user == user


async def test_an_unchanged_body_is_the_very_bytes_that_came() -> None:
    raw = b'{ "model":"a",\n "temperature": 1.0e0, "big": 123456789012345678901234567890 }'
    assert (await body_of(raw)).encode("a") is raw


async def test_another_name_is_all_that_changes() -> None:
    body = await body_of({"n": 1, "model": "route", "text": "é\u2028"})
    assert json.loads(body.encode("a")) == {"n": 1, "model": "a", "text": "é\u2028"}
    assert json.loads(body.encode("b"))["model"] == "b"
    assert json.loads(body.encode("route"))["model"] == "route"


async def test_a_changed_payload_is_written_anew() -> None:
    body = await body_of({"model": "a"})
    body.payload["stream_options"] = {"include_usage": True}
    assert json.loads(body.encode("a", changed=True)) == {"model": "a", "stream_options": {"include_usage": True}}


async def test_of_two_models_the_last_counts_as_it_does_for_the_model_server() -> None:
    body = await body_of(b'{"model": "a", "model": "b"}')
    assert body.model == "b"
    assert json.loads(body.encode("c")) == {"model": "c"}


async def test_a_request_without_a_body_has_none() -> None:
    body = await read(receiving(b"dropped"), {}, RETRIEVE, LIMITS)
    assert (body.model, body.payload, body.encode("a"), body.encode("a", changed=True)) == ("", {}, b"", b"")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b'{"model": "a"} x', id="more after it"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b'\xef\xbb\xbf{"model": "a"}', id="byte order mark"),
        pytest.param(b'{"model": "a", "user": "\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"model": "a", "user": "\\udc00"}', id="lone low surrogate"),
        pytest.param(b'{"model": "a", "n": NaN}', id="NaN"),
        pytest.param(b'{"model": "a", "n": -Infinity}', id="infinity"),
        pytest.param(b'{"model": "a", "n": 1e999}', id="number too large"),
        pytest.param(b'{"model": "a", "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep"),
        pytest.param(b'["model"]', id="list"),
        pytest.param(b'"model"', id="text"),
        pytest.param(b"null", id="null"),
    ],
)
async def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        await body_of(raw)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("content", "param"),
    [
        ({}, "model"),
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 1}, "model"),
        ({"model": ["a"]}, "model"),
        ({"model": "a", "stream": 1}, "stream"),
        ({"model": "a", "stream": "true"}, "stream"),
        ({"model": "a", "stream_options": []}, "stream_options"),
        ({"model": "a", "stream_options": True}, "stream_options"),
    ],
    ids=str,
)
async def test_a_field_that_the_gateway_needs_and_cannot_use_is_named(content: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as refused:
        await body_of(content)
    assert (refused.value.status, refused.value.param) == (400, param)
    assert f"'{param}'" in refused.value.message


async def test_what_can_be_read_but_not_written_again_is_the_clients_error() -> None:
    body = await body_of(b'{"model": "a", "n": ' + b"[" * 500 + b"]" * 500 + b"}")
    with pytest.raises(ApiError) as refused:
        body.encode("b")
    assert refused.value.status == 400


@pytest.mark.parametrize("content_type", [b"application/json; charset=utf-8", b"Application/JSON ;x=y"], ids=str)
async def test_ways_to_say_json(content_type: bytes) -> None:
    assert (await body_of({"model": "a"}, content_type=content_type)).model == "a"


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
