"""Tokens of an answer: the generating model's, and those that finding documents took, as prompt tokens."""

from typing import Any


def with_retrieval(usage: dict[str, Any] | None, tokens: int) -> dict[str, Any]:
    """A chat completion's usage with the tokens of retrieval in it.

    Args:
        usage: The generating model's; None where it was not asked.
        tokens: Those of retrieval.
    """
    own = dict(usage or {"prompt_tokens": 0, "completion_tokens": 0})
    own["prompt_tokens"] = int(own.get("prompt_tokens") or 0) + tokens
    own["completion_tokens"] = int(own.get("completion_tokens") or 0)
    own["total_tokens"] = own["prompt_tokens"] + own["completion_tokens"]
    return own


def of_responses(usage: dict[str, Any]) -> dict[str, Any]:
    """The same in the form of the responses API."""
    prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": prompt.get("cached_tokens") or 0},
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": completion.get("reasoning_tokens") or 0},
        "total_tokens": usage["total_tokens"],
    }
