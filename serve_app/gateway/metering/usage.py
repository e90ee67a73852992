"""Exact usage of every API: asked of the model, and read from its answer as it passes."""

from collections.abc import Mapping

import orjson

from serve_app.gateway.api.table import Api
from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.http.envelope import Envelope
from serve_app.gateway.metering.event_stream import EventStream, StrippedEventStream
from serve_app.gateway.metering.reader import Reader
from serve_app.gateway.metering.tokens import from_anthropic, from_cohere, from_openai
from serve_app.gateway.metering.whole_answer import WholeAnswer

__all__ = ["WITHOUT_USAGE", "Reader", "Usage", "ask_for_usage", "reader"]

WITHOUT_USAGE = frozenset(("count_tokens", "tokenize", "detokenize", "responses_retrieve", "responses_cancel"))
"""APIs that take none of a model's tokens, or show an answer that was counted when it was made."""

_ASKED = frozenset(("chat_completions", "completions"))
_FALSE = frozenset(("0", "false", "f", "no", "n", "off"))


def reader(api: Api, *, event_stream: bool, strip: bool, metadata: bytes | None = None) -> Reader:
    """What reads the usage of one successful answer.

    Args:
        api: The API that was asked.
        event_stream: Whether the answer is a stream of events, by its content type.
        strip: Whether `ask_for_usage` returned changes for the request.
        metadata: The answer's header of that name, where vLLM reports the usage of vectors that it sends as bytes.
    """
    if api.name in WITHOUT_USAGE:
        return Reader()
    if event_stream:
        return StrippedEventStream(api.shape) if strip else EventStream(api.shape)
    if api.name == "embed":
        return WholeAnswer("meta", from_cohere)
    if metadata:
        told = Reader()
        told.usage = _of_metadata(metadata)
        return told
    return WholeAnswer("usage", from_anthropic if api.shape == "anthropic" else from_openai)


def ask_for_usage(api: Api, envelope: Envelope) -> Mapping[str, object]:
    """Asks for the usage of a stream of completions, which reports none by itself. Other APIs report it always.

    `continuous_usage_stats` is taken out along the way: without `include_usage` it had no effect.

    Args:
        api: The API that is asked.
        envelope: What is known of the request.

    Returns:
        The changes to the request's body. Where there are any, usage has to be taken out of the answer again, since the
        client did not ask for it.
    """
    if api.name not in _ASKED or not envelope.stream:
        return {}
    options = envelope.stream_options or {}
    if not _is_false(options.get("include_usage")):
        return {}  # asked for, or the model refuses it
    kept = {name: value for name, value in options.items() if name != "continuous_usage_stats"}
    return {"stream_options": kept | {"include_usage": True}}


def _is_false(value: object) -> bool:
    return value in (None, False, 0) or (isinstance(value, str) and value.lower() in _FALSE)


def _of_metadata(metadata: bytes) -> Usage | None:
    try:
        content = orjson.loads(metadata)
    except orjson.JSONDecodeError:
        return None
    usage = content.get("usage") if isinstance(content, dict) else None
    return from_openai(usage) if isinstance(usage, dict) else None
