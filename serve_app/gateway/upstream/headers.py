"""Which headers pass the gateway: lists of what may, so that nothing unknown does in either direction."""

from collections.abc import Iterable, Mapping, Sequence

from serve_app.gateway.api.errors import Header
from serve_app.settings.gateway import Model

_CONTEXT = (b"traceparent", b"tracestate")
_TO_STACK = (
    b"accept",
    b"anthropic-beta",
    b"anthropic-version",
    b"content-type",
    b"user-agent",
    b"x-session-id",  # Ray Serve's routing by session, vLLM's cache by session
)
"""To models of the stack. Others would reach Ray Serve and vLLM, which act on several that no client may decide:
`x-data-parallel-rank` and `serve_multiplexed_model_id` (which engine), `x-vllm-priority` (before whom),
`x-request-timeout-seconds` (how long), `x-serve-router-*` (whose prompt). The client's key is the gateway's and goes
nowhere: not as `authorization`, nor `api-key`, `x-api-key` or a cookie."""
_TO_PROVIDER = (b"accept", b"anthropic-beta", b"anthropic-version", b"content-type", b"user-agent")
"""To a provider: what it needs to read the request; Anthropic's API wants to be told its version. `openai-organization`
and `openai-project` belong to an account, and the account is the gateway's: the provider's `headers` name them."""
_STOP_WHEN_CLOSED = (b"x-request-disconnect-disabled", b"?1")
"""Leaves it to vLLM to see that a client has left.

Without it Ray Serve sees that first (`serve/_private/replica.py`) and cancels its own task, which waits in vLLM's
`with_cancellation`; that waits with `asyncio.wait`, which leaves its tasks running when it is cancelled, so the engine
goes on to the last token of an answer that is not streamed. With it vLLM reads the end of the connection itself and
aborts the request in the engine. The price: Serve's own metrics show such a request as 200, not as 499; the gateway's
`ray_vllm_gateway_client_disconnects_total` counts it in any case."""
BEHIND_OTHERS = (b"x-vllm-priority", b"100")
"""The engine's turn for work that nobody waits for, where its `scheduling_policy` is `priority`; others ignore it."""
_TO_CLIENT = frozenset(
    (
        b"cache-control",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"metadata",  # vLLM's, with embeddings in bytes: how to read them, and their tokens
        b"retry-after",
        b"retry-after-ms",  # OpenAI's clients heed these two
        b"x-should-retry",
    )
)
"""Of a model's response. Left out are, among others: `access-control-*` (vLLM allows all origins, the gateway those of
`cors`), `set-cookie`, `alt-svc` and `strict-transport-security` (another server's), `x-ratelimit-*` and `openai-*` (the
limits and the name of the provider's account, where the client's own limits belong), `server`, `date`,
`x-request-id` (the gateway's), and those of the connection."""


def to_stack(
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
    passed = [(name, headers[name]) for name in _TO_STACK if name in headers]
    passed += context or [(name, headers[name]) for name in _CONTEXT if name in headers]
    return _with_own([*passed, _STOP_WHEN_CLOSED, (b"x-request-id", request_id)], entry, key)


def to_provider(
    headers: Mapping[bytes, bytes], request_id: bytes, context: Sequence[Header] = (), *, entry: Model, key: str = ""
) -> list[Header]:
    """A client's headers as a provider gets them; arguments as for `to_stack`, but no trace context of the client's."""
    passed = [(name, headers[name]) for name in _TO_PROVIDER if name in headers]
    return _with_own([*passed, *context, (b"x-request-id", request_id)], entry, key)


def to_client(headers: Iterable[tuple[bytes, bytes]]) -> list[Header]:
    """A model's headers as the client gets them.

    Args:
        headers: Names in any case, and values.
    """
    return [(lower, value) for name, value in headers if (lower := name.lower()) in _TO_CLIENT]


def _with_own(passed: list[Header], entry: Model, key: str) -> list[Header]:
    """Adds the headers of the configuration, which replace the client's, and the key."""
    if not entry.headers and not key:
        return passed
    own = {name.lower().encode(): value.encode() for name, value in entry.headers.items()}
    if key:
        name = entry.api_key_header.lower()
        own[name.encode()] = f"Bearer {key}".encode() if name == "authorization" else key.encode()
    return [*(header for header in passed if header[0] not in own), *own.items()]
