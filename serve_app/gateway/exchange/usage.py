"""The tokens of one request, and their cost."""

from dataclasses import dataclass

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
    """The cost of a request, in the price's currency.

    (prompt * prompt_per_million + cached * cached_per_million + completion * completion_per_million) / 1,000,000, where
    cached tokens without a price of their own cost as much as the other prompt tokens.
    """
    cached_price = price.prompt_per_million if price.cached_per_million is None else price.cached_per_million
    prompt = usage.prompt * price.prompt_per_million + usage.cached * cached_price
    return (prompt + usage.completion * price.completion_per_million) / _MILLION
