import pytest

from serve_app.gateway.upstream.headers import to_client, to_provider, to_stack
from serve_app.settings.gateway import Model

STACK = Model(url="http://h")
PROVIDER = Model(baseUrl="https://h/v1", external=True)
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
        "endpoint-load-metrics-format",
        "expect",
        "forwarded",
        "host",
        "openai-organization",
        "serve_multiplexed_model_id",
        "te",
        "upgrade",
        "x-api-key",
        "x-data-parallel-rank",
        "x-forwarded-for",
        "x-request-disconnect-disabled",
        "x-request-id",
        "x-request-timeout-seconds",
        "x-serve-router-kv-token-key",
        "x-unknown",
        "x-vllm-priority",
    ],
)
def test_only_what_is_listed_goes_to_a_model(name: str) -> None:
    assert to_stack({name.encode(): b"v"}, b"id", entry=STACK) == OWN
    assert to_provider({name.encode(): b"v"}, b"id", entry=PROVIDER) == [(b"x-request-id", b"id")]


def test_what_goes_to_a_model_of_the_stack() -> None:
    headers = {b"content-type": b"a/b", b"x-session-id": b"\xe9", b"x-request-id": b"theirs", b"traceparent": b"t"}
    expected = [(b"content-type", b"a/b"), (b"x-session-id", b"\xe9"), (b"traceparent", b"t"), *OWN]
    assert to_stack(headers, b"id", entry=STACK) == expected
    context = [(b"traceparent", b"ours")]
    assert to_stack(headers, b"id", context, entry=STACK) == [*expected[:2], *context, *OWN]


def test_what_goes_to_a_provider() -> None:
    headers = {b"anthropic-version": b"2023-06-01", b"x-session-id": b"s", b"traceparent": b"t", b"accept": b"*/*"}
    sent = to_provider(headers, b"id", entry=PROVIDER)
    assert sent == [(b"accept", b"*/*"), (b"anthropic-version", b"2023-06-01"), (b"x-request-id", b"id")]


def test_the_headers_and_the_key_that_the_configuration_names() -> None:
    bearer = Model(baseUrl="https://h/v1", headers={"X-Title": "stack"}, external=True)
    assert to_provider({}, b"id", entry=bearer, key="k")[1:] == [
        (b"x-title", b"stack"),
        (b"authorization", b"Bearer k"),
    ]
    azure = Model(baseUrl="https://h/v1", apiKeyHeader="API-Key", external=True)
    assert to_provider({}, b"id", entry=azure, key="k")[1:] == [(b"api-key", b"k")]
    assert to_stack({}, b"id", entry=Model(url="http://h", headers={"x-a": "b"}), key="k") == [
        *OWN,
        (b"x-a", b"b"),
        (b"authorization", b"Bearer k"),
    ]


def test_the_configuration_replaces_what_the_client_sent() -> None:
    entry = Model(baseUrl="https://h/v1", headers={"User-Agent": "stack"}, apiKeyHeader="accept", external=True)
    sent = to_provider({b"user-agent": b"theirs", b"accept": b"theirs"}, b"id", entry=entry, key="k")
    assert sent == [(b"x-request-id", b"id"), (b"user-agent", b"stack"), (b"accept", b"k")]


def test_only_what_is_listed_goes_to_the_client() -> None:
    passed = [(b"Content-Type", b"a/b"), (b"Retry-After", b"1"), (b"Metadata", b"{}"), (b"Content-Length", b"2")]
    names = (
        "Access-Control-Allow-Origin Alt-Svc Connection Date Keep-Alive Location OpenAI-Organization Server Set-Cookie "
        "Strict-Transport-Security Trailer Transfer-Encoding Upgrade WWW-Authenticate X-Accel-Redirect X-Request-Id "
        "X-RateLimit-Remaining-Tokens X-Serve-Reason X-Unknown"
    )
    stopped = [(name.encode(), b"v") for name in names.split()]
    assert to_client([*stopped, *passed]) == [(name.lower(), value) for name, value in passed]
