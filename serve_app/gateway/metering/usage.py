"""Exact usage of every API: asked of the model, and read from its answer as it passes."""

import orjson

from serve_app.gateway.api.table import Api
from serve_app.gateway.exchange.usage import NO_REQUEST, Usage, UsageRequest
from serve_app.gateway.http.envelope import Envelope
from serve_app.gateway.metering.chunk_usage import ChunkUsage
from serve_app.gateway.metering.event_errors import EventErrors
from serve_app.gateway.metering.event_stream import EventStream
from serve_app.gateway.metering.reader import Reader
from serve_app.gateway.metering.stripped_event_stream import StrippedEventStream
from serve_app.gateway.metering.tokens import from_anthropic, from_cohere, from_openai
from serve_app.gateway.metering.whole_answer import WholeAnswer

__all__ = ["Reader", "reader", "usage_request"]

_ASKED = frozenset(("chat_completions", "completions"))
_FALSE = frozenset(("0", "false", "f", "no", "n", "off"))
_TRUE = frozenset(("1", "true", "t", "yes", "y", "on"))


def usage_request(api: Api, envelope: Envelope, *, stream: bool) -> UsageRequest:
    """What to ask for. Streams of completions report no usage by themselves; other APIs always do.

    vLLM is asked for the usage so far in each chunk: a stream that its client leaves has no event at the end.

    Args:
        api: The API that is asked.
        envelope: The request's fields.
        stream: Whether it asks for a stream.
    """
    if not stream or api.name not in _ASKED:
        return NO_REQUEST
    n = envelope.value("n")
    choices = n if isinstance(n, int) and n > 0 else 1
    options = envelope.value("stream_options") or {}
    total, chunks = _bool(options.get("include_usage")), _bool(options.get("continuous_usage_stats"))
    if total is None or chunks is None:
        return NO_REQUEST  # the model refuses it
    if total and chunks:
        return UsageRequest(choices=choices)
    kept = {name: value for name, value in options.items() if name != "continuous_usage_stats"}
    return UsageRequest(kept, strip_chunks=True, strip_total=not total, choices=choices)


def reader(
    api: Api,
    *,
    event_stream: bool,
    request: UsageRequest = NO_REQUEST,
    external: bool = False,
    metadata: bytes | None = None,
    errors: EventErrors | None = None,
) -> Reader:
    """What reads the usage of one successful answer.

    Args:
        api: The API that was asked.
        event_stream: Whether the answer is a stream of events, by its content type.
        request: What the gateway has asked for.
        external: Whether the model is a provider's.
        metadata: The answer's header of that name, where vLLM reports the usage of vectors that it sends as bytes.
        errors: What becomes of errors inside a stream.
    """
    if not api.takes_tokens:
        return Reader()
    if event_stream:
        kind = StrippedEventStream if request.strip_total else EventStream
        stream = kind(api.shape, errors, request.choices)
        if not request.strip_chunks or external:
            return stream
        return ChunkUsage(stream, choices=request.choices, prompts=api.name == "completions")
    if api.name == "embed":
        return WholeAnswer("meta", from_cohere)
    if metadata:
        return Reader(_of_metadata(metadata))
    return WholeAnswer("usage", from_anthropic if api.shape == "anthropic" else from_openai)


def _bool(value: object) -> bool | None:
    """A boolean as vLLM reads it, which takes `"yes"` for true; None for what it refuses."""
    if value is None or value in (False, 0):
        return False
    if value in (True, 1):
        return True
    text = value.lower() if isinstance(value, str) else ""
    return True if text in _TRUE else False if text in _FALSE else None


def _of_metadata(metadata: bytes) -> Usage | None:
    try:
        content = orjson.loads(metadata)
    except orjson.JSONDecodeError:
        return None
    usage = content.get("usage") if isinstance(content, dict) else None
    return from_openai(usage) if isinstance(usage, dict) else None
