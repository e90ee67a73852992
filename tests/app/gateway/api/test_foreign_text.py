import json

import pytest

from serve_app.gateway.api.foreign_text import cut_message, page_text

from .samples import long_list


@pytest.mark.parametrize("name", ["responses-unknown-type", "responses-no-detail"])
def test_the_message_of_an_error_that_is_cut_anywhere(name: str) -> None:
    body = long_list(name)
    whole = json.loads(body)["error"]["message"]
    begin = body.index(b"validation") - 4
    for at in range(begin + 1, 3000, 7):
        message = cut_message(body[:at])
        assert message
        assert whole.startswith(message)


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_cut_inside_a_character_or_an_escape(ascii_only: bool) -> None:
    text = 'é\\"\n😀 is bad. ' * 40
    body = b'{"error": {"message": ' + json.dumps(text, ensure_ascii=ascii_only).encode()
    for at in range(40, len(body)):
        message = cut_message(body[:at])
        assert message
        assert text.startswith(message)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"error":', b'{"error": {"message": "', b'{"code": 400}', b'{"message": 1']
)
def test_a_body_without_a_message(body: bytes) -> None:
    assert cut_message(body) == ""


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (
            b"<!DOCTYPE html><html><head><title>502</title><style>p{}</style></head><h1>Bad &amp; gone</h1>",
            "Bad & gone",
        ),
        (b"<HTML><script>if (a < b) {}</script><p>No\n  way", "No way"),
        (b"<html>No <script>x", "No"),
        (b"no such\r\n  thing", "no such thing"),
        (b"a < b", "a < b"),
        (b"", ""),
    ],
)
def test_pages_become_a_line(page: bytes, text: str) -> None:
    assert page_text(page) == text
