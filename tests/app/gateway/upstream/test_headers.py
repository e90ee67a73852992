import pytest

from serve_app.gateway.upstream.headers import passed_back, passed_on, passed_outside
from serve_app.settings.gateway import Model

STACK = Model(url="http://h")
OWN = [(b"x-request-disconnect-disabled", b"?1"), (b"x-request-id", b"id")]


@pytest.mark.parametrize(
    "name",
    [
        "accept-encoding",
        "api-key",
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "serve_multiplexed_model_id",
        "te",
        "upgrade",
        "x-api-key",
        "x-data-parallel-rank",
        "x-request-timeout-seconds",
        "x-unknown",
    ],
)
def test_only_what_is_listed_is_passed_on(name: str) -> None:
    assert passed_on({name.encode(): b"v"}, b"id", entry=STACK) == OWN
    provider = Model(baseUrl="https://h/v1", external=True)
    assert passed_outside({name.encode(): b"v"}, b"id", entry=provider, key="") == [(b"x-request-id", b"id")]


def test_passed_on() -> None:
    headers = {b"content-type": b"a/b", b"x-session-id": b"\xe9", b"x-request-id": b"theirs", b"traceparent": b"t"}
    expected = [(b"content-type", b"a/b"), (b"x-session-id", b"\xe9"), (b"traceparent", b"t"), *OWN]
    assert passed_on(headers, b"id", entry=STACK) == expected
    context = [(b"traceparent", b"ours")]
    assert (b"traceparent", b"t") not in passed_on(headers, b"id", context, entry=STACK)


def test_a_model_has_the_headers_and_the_key_that_its_entry_names() -> None:
    bearer = Model(baseUrl="https://h/v1", headers={"X-Title": "stack"}, external=True)
    assert passed_outside({}, b"id", entry=bearer, key="k")[1:] == [
        (b"x-title", b"stack"),
        (b"authorization", b"Bearer k"),
    ]
    named = Model(baseUrl="https://h/v1", headers={"User-Agent": "stack"}, external=True)
    assert passed_outside({b"user-agent": b"theirs"}, b"id", entry=named, key="")[1:] == [(b"user-agent", b"stack")]
    azure = Model(baseUrl="https://h/v1", apiKeyHeader="api-key", external=True)
    assert passed_outside({}, b"id", entry=azure, key="k")[1:] == [(b"api-key", b"k")]


def test_passed_back() -> None:
    headers = [(b"Content-Type", b"a/b"), (b"Transfer-Encoding", b"chunked"), (b"Date", b"d"), (b"X-Two", b"1")]
    browser = (b"Access-Control-Allow-Origin", b"*")
    assert passed_back([*headers, (b"X-Two", b"2"), browser, (b"Set-Cookie", b"a=b")]) == [
        (b"content-type", b"a/b"),
        (b"x-two", b"1"),
        (b"x-two", b"2"),
    ]
