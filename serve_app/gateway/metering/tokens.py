"""Token numbers, as the APIs report them."""

from collections.abc import Mapping
from dataclasses import replace
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


_DELTAS: Mapping[Shape, bytes] = {"anthropic": b"event: content_block_delta", "responses": b".delta\ndata: "}


class EventUsage:
    """Adds up what a stream's events report."""

    __slots__ = ("_begun", "_choices", "_deltas", "_per_prompt", "_shape", "_total")

    def __init__(self, shape: Shape, choices: int = 1) -> None:
        """Begins a stream.

        Args:
            shape: The shape of its API.
            choices: How many answers each prompt gets: OpenAI's `n`.
        """
        self._shape = shape
        self._per_prompt = max(1, choices)
        self._total: Usage | None = None
        self._begun: dict[str, Any] = {}
        self._deltas = 0
        self._choices: dict[int, tuple[int, int]] = {}
        """A choice's index -> tokens of its prompt, and of itself so far."""

    @property
    def usage(self) -> Usage | None:
        """The total once it was reported; before that what is known, as partial."""
        total = self._total
        if total is None and self._deltas:
            return Usage(0, 0, self._deltas, partial=True)
        if total is None and self._choices:
            prompts = {index // self._per_prompt: prompt for index, (prompt, _) in self._choices.items()}
            completion = sum(completion for _, completion in self._choices.values())
            return Usage(sum(prompts.values()), 0, completion, partial=True)
        if total is not None and total.partial and self._deltas > total.completion:
            return replace(total, completion=self._deltas)
        return total

    def count(self, events: bytes) -> None:
        """Counts the deltas of messages and responses: each is a token at least; only the last event reports tokens."""
        if self._shape != "openai":
            self._deltas += events.count(_DELTAS[self._shape])

    def read(self, event: Mapping[str, Any]) -> bool:
        """Reads an event.

        Returns:
            Whether it reports usage.
        """
        usage = event.get("usage")
        if self._shape == "anthropic":
            message = event.get("message")
            if begins := isinstance(message, dict):
                usage = message.get("usage")
            if isinstance(usage, dict):
                self._begun |= usage  # message_delta need not repeat what message_start said
                self._total = from_anthropic(self._begun, partial=begins)
            return isinstance(usage, dict)
        response = event.get("response")
        if isinstance(response, dict):
            usage = response.get("usage")
        if not isinstance(usage, dict):
            return False
        choice = _choice(event.get("choices"))
        if choice is None or (choice.get("finish_reason") and not self._choices):
            self._total = from_openai(usage)  # some servers report it once, where the answer finishes
        else:
            self.so_far(_number(choice, "index"), _number(usage, "prompt_tokens"), _number(usage, "completion_tokens"))
        return True

    def so_far(self, index: int, prompt: int, completion: int) -> None:
        """Takes what `continuous_usage_stats` says in a chunk, which is of one choice.

        Args:
            index: The choice.
            prompt: Tokens of its prompt.
            completion: Its own tokens.
        """
        self._choices[index] = prompt, completion


def _choice(choices: object) -> Mapping[str, Any] | None:
    """A chunk's choice; None if it has none."""
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None


def _number(mapping: Mapping[str, Any], key: str) -> int:
    value = mapping.get(key)
    return value if isinstance(value, int) and value > 0 else 0
