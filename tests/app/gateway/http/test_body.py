import json
from typing import Any

import pytest

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS, RETRIEVE
from serve_app.gateway.http.body import MOST_FIELDS, Body, read
from serve_app.settings.gateway import Limits

from .wire import JSON, memory, receiving

LIMITS = Limits()
CHAT = "/v1/chat/completions"


async def body_of(raw: bytes | dict[str, Any], path: str = CHAT, content_type: bytes | None = None) -> Body:
    headers = JSON if content_type is None else {b"content-type": content_type}
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return await read(receiving(content), headers, APIS[path], LIMITS, memory())


async def test_what_the_gateway_has_to_know_is_read() -> None:
    body = await body_of({"model": "a", "stream": True, "user": "u", "n": 1})
    assert (body.model, body.stream, body.user, body.envelope.value("n")) == ("a", True, "u", 1)


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


def sent(body: Body, model: str, changes: dict[str, object] | None = None, fields: dict[str, str] | None = None) -> Any:
    """What a model reads."""
    return json.loads(b"".join(body.pieces(model, changes, fields)))


async def test_an_unchanged_body_is_the_very_bytes_that_came() -> None:
    raw = b'{ "model":"a",\n "temperature": 1.0e0, "big": 123456789012345678901234567890 }'
    (piece,) = (await body_of(raw)).pieces("a")
    assert piece is raw


async def test_another_name_is_all_that_changes() -> None:
    body = await body_of({"n": 1, "model": "route", "text": "é\u2028"})
    assert sent(body, "a") == {"n": 1, "model": "a", "text": "é\u2028"}
    assert sent(body, "b")["model"] == "b"
    assert sent(body, "route")["model"] == "route"


async def test_what_is_unchanged_stays_to_the_digit() -> None:
    body = await body_of(b'{"seed": 123456789012345678901, "model": "route", "x": 1e999, "y": {"a" : 1.0}}  ')
    assert b"".join(body.pieces("a", {"stream_options": {"include_usage": True}})) == (
        b'{"seed":123456789012345678901,"model":"a","x":1e999,"y":{"a" : 1.0},"stream_options":{"include_usage":true}}'
    )


async def test_what_is_large_is_not_copied() -> None:
    messages = b'[{"role": "user", "content": "' + b"x" * 1_000_000 + b'"}]'
    raw = b'{"messages": ' + messages + b', "model": "route", "n": 1, "tools": [' + b"1," * 100_000 + b"1]}"
    body = await body_of(raw)
    pieces = body.pieces("a", {"stream": True}, {"n": "m"})
    views = [piece for piece in pieces if isinstance(piece, memoryview)]
    assert sum(view.nbytes for view in views) > len(raw) - 100
    assert json.loads(b"".join(pieces)) == json.loads(raw.replace(b'"n"', b'"m"')) | {"model": "a", "stream": True}
    assert b"".join(pieces).count(b'"model":') == 1
    assert body.pieces("route") == (raw,)


async def test_a_provider_gets_fields_under_its_names_and_none_that_it_does_not_know() -> None:
    body = await body_of(b'{"model":"route","max_tokens":5,"top_k":1,"seed":123456789012345678901}')
    fields = {"top_k": "", "max_tokens": "max_completion_tokens", "absent": "x"}
    assert b"".join(body.pieces("large-1", {"stream": True}, fields)) == (
        b'{"model":"large-1","max_completion_tokens":5,"seed":123456789012345678901,"stream":true}'
    )


@pytest.mark.parametrize("more", [0, 1])
async def test_a_large_body_of_very_many_fields_is_not_taken_apart(more: int) -> None:
    fields = {str(number): "x" * 20 for number in range(MOST_FIELDS - 1 + more)}
    body = await body_of({"model": "a"} | fields)
    assert body.pieces("a") == (body.raw,)
    if not more:
        assert sent(body, "b") == {"model": "b"} | fields
        return
    with pytest.raises(ApiError) as refused:
        body.pieces("b")
    assert refused.value.status == 400


async def test_a_body_without_the_fields_is_not_taken_apart_either() -> None:
    body = await body_of({"model": "a", "messages": [{"role": "user", "content": '{"k": 1}' * 10_001}]})
    fields = {"top_k": "", "max_tokens": "max_completion_tokens"}
    assert sent(body, "b", fields=fields) == json.loads(body.raw) | {"model": "b"}
    assert body.pieces("a", fields=fields) == (body.raw,)


async def test_a_field_that_the_gateway_adds_is_renamed_too() -> None:
    body = await body_of({"model": "a"})
    assert sent(body, "b", {"stream_options": {}}, {"stream_options": "", "model": "name"}) == {"name": "b"}


async def test_the_paths_model_counts_in_place_of_the_bodys() -> None:
    for raw in (b"{}", b' { "n": 1}', b'{"model": "other"}'):
        body = await read(receiving(raw), JSON, APIS[CHAT], LIMITS, memory(), model="a")
        assert body.model == "a"
        assert sent(body, "a")["model"] == "a"


async def test_of_two_models_the_last_counts_as_it_does_for_the_model_server() -> None:
    body = await body_of(b'{"model": "a", "model": "b"}')
    assert body.model == "b"
    assert sent(body, "c") == {"model": "c"}


async def test_a_request_without_a_body_has_none() -> None:
    body = await read(receiving(b"dropped"), {}, RETRIEVE, LIMITS, memory())
    assert (body.model, body.pieces("a"), body.pieces("a", {"x": 1})) == ("", (b"",), (b"",))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b'{"model": "a"} x', id="more after it"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b'{"model": "a", "x": "\xff"}', id="not UTF-8 in another field"),
        pytest.param(b'{"model": "a", "x": "' + "é".encode() * 50_000 + b'\xe2\x82"}', id="cut in a character"),
        pytest.param(b'\xef\xbb\xbf{"model": "a"}', id="byte order mark"),
        pytest.param(b'{"model": "a", "n": NaN}', id="NaN"),
        pytest.param(b'{"model": "a", "n": -Infinity}', id="infinity"),
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
        await read(receiving(b'{"model": "a"}'), JSON, APIS[CHAT], Limits.model_validate({"maxBodyBytes": 5}), memory())
    assert refused.value.status == 413
