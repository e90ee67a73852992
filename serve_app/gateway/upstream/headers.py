"""Which headers pass the gateway, in both directions."""

from collections.abc import Iterable, Mapping, Sequence

from serve_app.gateway.api.errors import Header

_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_NOT_PASSED_ON = _HOP_BY_HOP | {
    b"accept-encoding",  # the gateway has to be able to read errors, and models do not compress anyway
    b"authorization",  # the client's key is the gateway's, not the model's
    b"content-length",  # made anew: the body may be rewritten
    b"cookie",
    b"expect",
    b"host",
    b"x-api-key",
    b"x-request-disconnect-disabled",  # would make Ray Serve go on for a client that has left
    b"x-request-id",  # the gateway's own, which may be the client's
}
_CONTEXT = frozenset((b"traceparent", b"tracestate"))
_PASSED_OUTSIDE = (b"content-type", b"accept", b"user-agent")
_NOT_PASSED_BACK = _HOP_BY_HOP | {b"date", b"server", b"x-request-id"}
_USUAL_CONNECTIONS = (None, b"keep-alive", b"close")


def passed_on(headers: Mapping[bytes, bytes], request_id: bytes, context: Sequence[Header] = ()) -> list[Header]:
    """A client's headers as the model gets them.

    Args:
        headers: Lower-case names -> values.
        request_id: What the model is to know the request by.
        context: The trace context, in place of the client's.
    """
    dropped = _NOT_PASSED_ON
    if context:
        dropped = dropped | _CONTEXT
    connection = headers.get(b"connection")
    if connection not in _USUAL_CONNECTIONS:
        dropped = dropped | {name.strip().lower() for name in (connection or b"").split(b",")}
    kept = [header for header in headers.items() if header[0] not in dropped]
    return [*kept, (b"x-request-id", request_id), *context]


def passed_outside(
    headers: Mapping[bytes, bytes], request_id: bytes, context: Sequence[Header] = (), *, key: str
) -> list[Header]:
    """A client's headers as a provider outside gets them: only what it needs to answer, and its own key.

    Args:
        headers: Lower-case names -> values.
        request_id: What the provider is to know the request by.
        context: The trace context.
        key: What it wants to be shown.
    """
    passed = [(name, headers[name]) for name in _PASSED_OUTSIDE if name in headers]
    return [*passed, (b"authorization", f"Bearer {key}".encode()), (b"x-request-id", request_id), *context]


def passed_back(headers: Iterable[tuple[bytes, bytes]]) -> list[Header]:
    """A model's headers as the client gets them, names in lower case as ASGI wants them."""
    return [(lower, value) for name, value in headers if (lower := name.lower()) not in _NOT_PASSED_BACK]
