import pytest

from serve_app.gateway.upstream.headers import passed_back, passed_on


@pytest.mark.parametrize(
    "name",
    ["accept-encoding", "authorization", "content-length", "cookie", "expect", "host", "te", "upgrade", "x-api-key"],
)
def test_not_passed_on(name: str) -> None:
    assert passed_on({name.encode(): b"v"}, b"id") == [(b"x-request-id", b"id")]


def test_passed_on() -> None:
    headers = {b"content-type": b"a/b", b"x-session-id": b"\xe9", b"x-request-id": b"theirs"}
    assert passed_on(headers, b"ours") == [
        (b"content-type", b"a/b"),
        (b"x-session-id", b"\xe9"),
        (b"x-request-id", b"ours"),
    ]


def test_what_the_connection_names_is_not_passed_on() -> None:
    headers = {b"connection": b"close, X-Hop", b"x-hop": b"1", b"x-kept": b"1"}
    assert passed_on(headers, b"id") == [(b"x-kept", b"1"), (b"x-request-id", b"id")]


def test_passed_back() -> None:
    headers = [(b"Content-Type", b"a/b"), (b"Transfer-Encoding", b"chunked"), (b"Date", b"d"), (b"X-Two", b"1")]
    assert passed_back([*headers, (b"X-Two", b"2")]) == [
        (b"content-type", b"a/b"),
        (b"x-two", b"1"),
        (b"x-two", b"2"),
    ]
