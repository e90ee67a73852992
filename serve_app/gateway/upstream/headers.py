"""Which headers pass the gateway, in both directions: lists of what may pass, so that nothing unknown does."""

from collections.abc import Iterable, Mapping, Sequence

from serve_app.gateway.api.errors import Header
from serve_app.settings.gateway import Model

_CONTEXT = (b"traceparent", b"tracestate")
_PASSED_ON = (
    b"accept",
    b"anthropic-beta",
    b"anthropic-version",
    b"content-type",
    b"user-agent",
    b"x-session-id",  # routing by session in Ray Serve
)
"""To models of the stack. Others would reach Ray Serve and vLLM, which act on some: `x-data-parallel-rank`,
`serve_multiplexed_model_id`, `x-request-timeout-seconds`. The client's key is the gateway's and goes nowhere."""
_PASSED_OUTSIDE = (b"accept", b"content-type", b"user-agent")
_STOP_WHEN_CLOSED = (b"x-request-disconnect-disabled", b"?1")
"""Ray Serve would see a client that leaves and cancel its own task, which does not reach vLLM while that waits for a
whole answer; with this it leaves the connection to vLLM, which sees its end and stops the engine."""
_NOT_PASSED_BACK = frozenset(
    (
        b"access-control-allow-credentials",  # the gateway's own answer to browsers
        b"access-control-allow-headers",
        b"access-control-allow-methods",
        b"access-control-allow-origin",
        b"access-control-expose-headers",
        b"connection",
        b"date",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"server",
        b"set-cookie",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-request-id",
    )
)


def passed_on(
    headers: Mapping[bytes, bytes], request_id: bytes, context: Sequence[Header] = (), *, entry: Model, key: str = ""
) -> list[Header]:
    """A client's headers as a model of the stack gets them.

    Args:
        headers: Lower-case names -> values.
        request_id: The id by which the model is to know the request.
        context: The trace context, in place of the client's.
        entry: The model.
        key: API key to send; empty for none.
    """
    passed = [(name, headers[name]) for name in _PASSED_ON if name in headers]
    passed += context or [(name, headers[name]) for name in _CONTEXT if name in headers]
    return [*passed, _STOP_WHEN_CLOSED, (b"x-request-id", request_id), *_own(entry, key)]


def passed_outside(
    headers: Mapping[bytes, bytes], request_id: bytes, context: Sequence[Header] = (), *, entry: Model, key: str
) -> list[Header]:
    """A client's headers as a provider outside gets them: only what it needs to answer, and its own key.

    Args:
        headers: Lower-case names -> values.
        request_id: The id by which the provider is to know the request.
        context: The trace context.
        entry: The provider.
        key: API key to send; empty for none.
    """
    own = _own(entry, key)
    named = {name for name, _ in own}
    passed = [(name, headers[name]) for name in _PASSED_OUTSIDE if name in headers and name not in named]
    return [*passed, (b"x-request-id", request_id), *context, *own]


def _own(entry: Model, key: str) -> list[Header]:
    """The headers that the configuration names, and the key."""
    own = [(name.lower().encode(), value.encode()) for name, value in entry.headers.items()]
    if key:
        name = entry.api_key_header.lower()
        own.append((name.encode(), f"Bearer {key}".encode() if name == "authorization" else key.encode()))
    return own


def passed_back(headers: Iterable[tuple[bytes, bytes]]) -> list[Header]:
    """A model's headers as the client gets them, names in lower case as ASGI wants them."""
    return [(lower, value) for name, value in headers if (lower := name.lower()) not in _NOT_PASSED_BACK]
