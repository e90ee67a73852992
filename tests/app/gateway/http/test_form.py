import os

import aiohttp
import pytest

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS
from serve_app.gateway.http.body import Body, read
from serve_app.gateway.http.form import MOST_PARTS
from serve_app.settings.gateway import Limits

from .wire import memory, receiving

SPEECH = "/v1/audio/transcriptions"
KIND = b'multipart/form-data; boundary="b o"'
AUDIO = b'RIFF\r\n--b\r\n--b oo\r\n\x00\xff name="model"\r\n\r\n'


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--b o\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def form(*parts: bytes, end: bytes = b"--b o--\r\n") -> bytes:
    return b"".join(parts) + end


FILE = part("file", AUDIO, '; filename="a; name=\\"model\\".wav"\r\nContent-Type: audio/wav')


async def body_of(raw: bytes, content_type: bytes = KIND) -> Body:
    return await read(receiving(raw), {b"content-type": content_type}, APIS[SPEECH], Limits(), memory())


async def test_the_fields_that_the_gateway_needs_are_found() -> None:
    body = await body_of(form(FILE, part("model", b"wh\xc3\xa9"), part("stream", b"True"), part("user", b"u")))
    assert (body.model, body.stream, body.user, body.written) == ("whé", True, "u", "whé")


async def test_an_unchanged_form_is_the_very_bytes_that_came() -> None:
    raw = form(part("model", b"a"), FILE)
    assert (await body_of(raw)).pieces("a") == (raw,)


@pytest.mark.parametrize(
    "parts", [(part("model", b"chat"), FILE), (FILE, part("model", b"chat"))], ids=("first", "last")
)
async def test_another_name_changes_nothing_else(parts: tuple[bytes, ...]) -> None:
    body = await body_of(form(part("prompt", b"chat"), *parts))
    expected = form(part("prompt", b"chat"), *(p.replace(b"\r\nchat\r\n", "\r\nwhé\r\n".encode()) for p in parts))
    assert b"".join(body.pieces("whé")) == expected


async def test_a_form_as_a_client_library_writes_it() -> None:
    audio = os.urandom(200_000)
    fields = aiohttp.FormData()
    fields.add_field("file", audio, filename="ü.wav", content_type="audio/wav")
    fields.add_field("model", "chat")
    fields.add_field("timestamp_granularities[]", "word")
    written = fields()
    assert isinstance(written, aiohttp.MultipartWriter)
    raw = await written.as_bytes()
    body = await body_of(raw, written.content_type.encode())
    assert body.model == "chat"
    changed = b"".join(body.pieces("whisper"))
    assert changed == raw.replace(b"\r\n\r\nchat\r\n", b"\r\n\r\nwhisper\r\n")
    assert (await body_of(changed, written.content_type.encode())).model == "whisper"


@pytest.mark.parametrize("text", ["", "0", "false", "OFF", "no"])
async def test_ways_to_ask_for_no_stream(text: str) -> None:
    assert not (await body_of(form(part("model", b"a"), part("stream", text.encode())))).stream


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param(form(FILE), "model", id="no model"),
        pytest.param(form(part("model", b"")), "model", id="empty model"),
        pytest.param(form(part("model", b"\xff")), "model", id="not UTF-8"),
        pytest.param(form(part("model", b"a"), part("model", b"b")), "model", id="two models"),
        pytest.param(form(part("model", b"a", '; filename="x"')), "model", id="a file as model"),
        pytest.param(form(part("model", b"a"), part("stream", b"perhaps")), "stream", id="stream"),
        pytest.param(form(part("model", b"a"), end=b""), None, id="no end"),
        pytest.param(form(part("model", b"a"))[:-30], None, id="cut"),
        pytest.param(b"--c\r\n" + form(part("model", b"a")), None, id="another boundary"),
        pytest.param(b"--b o\r\n" + b"x" * 100_000 + b"\r\n", None, id="endless header"),
        pytest.param(b'{"model": "a"}', None, id="JSON"),
    ],
)
async def test_what_cannot_be_used_is_refused(raw: bytes, param: str | None) -> None:
    with pytest.raises(ApiError) as refused:
        await body_of(raw)
    assert (refused.value.status, refused.value.param) == (400, param)


@pytest.mark.parametrize(
    "content_type",
    [b"multipart/form-data", b"multipart/form-data; boundary=", b"multipart/form-data; boundary=" + b"x" * 5000],
    ids=("no boundary", "empty boundary", "long boundary"),
)
async def test_a_form_needs_its_boundary(content_type: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        await body_of(form(part("model", b"a")), content_type)
    assert refused.value.status == 400


async def test_a_form_of_very_many_parts_is_refused() -> None:
    await body_of(form(part("model", b"a"), *[part("x", b"")] * (MOST_PARTS - 1)))
    with pytest.raises(ApiError) as refused:
        await body_of(form(part("model", b"a"), *[part("x", b"")] * MOST_PARTS))
    assert (refused.value.status, str(MOST_PARTS) in refused.value.message) == (400, True)
