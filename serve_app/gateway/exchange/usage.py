"""The tokens of one request, and their cost."""

from dataclasses import dataclass
from typing import NamedTuple

from serve_app.settings.gateway import Price

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request. The three numbers are disjoint: their sum is what the engine worked on."""

    prompt: int
    """Prompt tokens that were computed."""
    cached: int
    """Prompt tokens found in the prefix cache."""
    completion: int
    """Tokens of the answer, reasoning included."""
    partial: bool = False
    """Reported while more was to come: if nothing is reported after it, the numbers are a lower bound."""

    @property
    def total(self) -> int:
        """All tokens."""
        return self.prompt + self.cached + self.completion


def cost(usage: Usage, price: Price) -> float:
    """The cost of a request, in the price's currency."""
    return cost_in_millionths(usage, price) / _MILLION


def cost_in_millionths(usage: Usage, price: Price) -> float:
    """The cost of a request, in millionths of the price's currency.

    prompt * prompt_per_million + cached * cached_per_million + completion * completion_per_million, where cached tokens
    without a price of their own cost as much as the other prompt tokens.
    """
    cached_price = price.prompt_per_million if price.cached_per_million is None else price.cached_per_million
    prompt = usage.prompt * price.prompt_per_million + usage.cached * cached_price
    return prompt + usage.completion * price.completion_per_million


class UsageRequest(NamedTuple):
    """What a stream of completions is asked for so that its tokens are known, and what the client did not ask for."""

    options: dict[str, object] | None = None
    """The client's `stream_options`; None where usage is not asked for: it is reported anyway, or refused."""
    strip_chunks: bool = False
    """Whether usage has to be taken out of the chunks."""
    strip_total: bool = False
    """Whether the event with usage at the end has to be taken out."""
    choices: int = 1
    """How many answers each prompt gets: the request's `n`."""

    def changes(self, external: bool) -> dict[str, object]:
        """The fields of the body that change.

        Args:
            external: Whether the model is a provider's, which may not know `continuous_usage_stats`.
        """
        if self.options is None:
            return {}
        if external and not self.strip_total:
            return {}
        continuous = {} if external else {"continuous_usage_stats": True}
        return {"stream_options": self.options | {"include_usage": True} | continuous}


NO_REQUEST = UsageRequest()
