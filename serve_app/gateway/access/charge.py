"""What a request takes of its caller's limits: tokens, and their price."""

from typing import NamedTuple

MICROS = 1_000_000
"""Of one unit of the currency: prices are counted as whole numbers, which add up without rounding."""


class Charge(NamedTuple):
    """Tokens and their price."""

    tokens: int = 0
    micros: int = 0
    """Millionths of the currency's unit."""

    @classmethod
    def of(cls, tokens: int, cost: float | None) -> "Charge":
        """Tokens and what they cost; None where the model has no price."""
        return cls(tokens, round((cost or 0) * MICROS))

    def beyond(self, reserved: "Charge") -> "Charge":
        """What is left of it beside what was reserved; below 0 where less was taken."""
        return Charge(self.tokens - reserved.tokens, self.micros - reserved.micros)


NOTHING = Charge()
