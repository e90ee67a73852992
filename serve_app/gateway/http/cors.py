"""Which web pages may call the gateway from a browser (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Mapping

from serve_app.gateway.api.errors import Header
from serve_app.settings.gateway import Cors

_ALLOWED_HEADERS = (
    b"authorization, content-type, x-api-key, api-key, anthropic-version, anthropic-beta, "
    b"anthropic-dangerous-direct-browser-access, openai-organization, openai-project, openai-beta, "
    b"x-request-id, x-session-id, traceparent, tracestate"
)
_SDK_HEADERS = b"x-stainless-"
"""Headers that OpenAI's and Anthropic's JavaScript clients add; a browser asks for each."""
_EXPOSED = (
    b"x-request-id, request-id, retry-after, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, "
    b"x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"
)
_VARY = (b"vary", b"origin")


def cors_headers(headers: Mapping[bytes, bytes], settings: Cors) -> list[Header]:
    """What a response has for the page that asks; nothing for others, and where no origin is configured."""
    if not settings.origins:
        return []
    allowed = _allowed(headers.get(b"origin", b""), settings)
    if not allowed:
        return [_VARY]
    return [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", _EXPOSED), _VARY]


def is_preflight(method: str, headers: Mapping[bytes, bytes], settings: Cors) -> bool:
    """Whether a browser asks for leave to send a request. It sends no key with that."""
    asks = method == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers
    return asks and bool(settings.origins)


def preflight_headers(headers: Mapping[bytes, bytes], settings: Cors) -> list[Header]:
    """What the answer to a preflight has beside `cors_headers`: nothing for other pages, so browsers refuse them."""
    if not _allowed(headers[b"origin"], settings):
        return []
    asked = headers.get(b"access-control-request-headers", b"").lower().split(b",")
    of_sdk = [name.strip() for name in asked if name.strip().startswith(_SDK_HEADERS)]
    return [
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", b", ".join([_ALLOWED_HEADERS, *of_sdk])),
        (b"access-control-max-age", b"%d" % settings.max_age_seconds),
    ]


def _allowed(origin: bytes, settings: Cors) -> bytes:
    if not origin:
        return b""
    if "*" in settings.origins:
        return b"*"
    return origin if origin.decode("latin-1") in settings.origins else b""
