"""Token numbers, as the APIs report them."""

from collections.abc import Mapping
from typing import Any

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.exchange.usage import Usage


def from_openai(usage: Mapping[str, Any], *, partial: bool = False) -> Usage:
    """Reads the usage object of OpenAI's APIs: of completions (`prompt_tokens`) and of responses (`input_tokens`).

    Cached tokens are part of the prompt's number there. Without token numbers (audio by seconds) all are 0.
    """
    prompt = _number(usage, "prompt_tokens") or _number(usage, "input_tokens")
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    cached = min(_number(details, "cached_tokens"), prompt) if isinstance(details, dict) else 0
    completion = _number(usage, "completion_tokens") or _number(usage, "output_tokens")
    return Usage(prompt - cached, cached, completion, partial)


def from_anthropic(usage: Mapping[str, Any], *, partial: bool = False) -> Usage:
    """Reads the usage object of Anthropic's API, where `input_tokens` has neither those read from the cache nor those
    that were computed and written to it.
    """  # noqa: D205  # one sentence
    computed = _number(usage, "input_tokens") + _number(usage, "cache_creation_input_tokens")
    cached = _number(usage, "cache_read_input_tokens")
    return Usage(computed, cached, _number(usage, "output_tokens"), partial)


def from_cohere(meta: Mapping[str, Any]) -> Usage:
    """Reads the `meta` object of Cohere's embeddings."""
    units = meta.get("billed_units")
    if not isinstance(units, dict):
        return Usage(0, 0, 0, partial=True)
    return Usage(_number(units, "input_tokens") + _number(units, "image_tokens"), 0, 0)


class EventUsage:
    """Reads usage out of a stream's events, one after the other."""

    __slots__ = ("_begun", "_shape")

    def __init__(self, shape: Shape) -> None:
        """Takes the shape of the API."""
        self._shape = shape
        self._begun: dict[str, Any] = {}

    def of(self, event: Mapping[str, Any]) -> Usage | None:
        """The usage that an event reports, if it does."""
        usage = event.get("usage")
        if self._shape == "anthropic":
            message = event.get("message")
            if begins := isinstance(message, dict):
                usage = message.get("usage")
            if not isinstance(usage, dict):
                return None
            self._begun |= usage  # message_delta need not repeat what message_start said
            return from_anthropic(self._begun, partial=begins)
        response = event.get("response")
        if isinstance(response, dict):
            usage = response.get("usage")
        return from_openai(usage, partial=_goes_on(event.get("choices"))) if isinstance(usage, dict) else None


def _goes_on(choices: object) -> bool:
    """Whether a chunk's choices are unfinished: then its usage is what `continuous_usage_stats` adds to each."""
    if not isinstance(choices, list) or not choices:
        return False
    return not any(isinstance(choice, dict) and choice.get("finish_reason") for choice in choices)


def _number(mapping: Mapping[str, Any], key: str) -> int:
    value = mapping.get(key)
    return value if isinstance(value, int) and value > 0 else 0
