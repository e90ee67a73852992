"""What Redis is still to be told by a replica that counted for itself, or does not know whether it was heard."""

from collections.abc import Mapping
from typing import NamedTuple

from serve_app.gateway.access.lease import Lease
from serve_app.gateway.access.months import this_month
from serve_app.gateway.access.rules import Rules

Months = Mapping[tuple[str, str], list[int]]
"""Scope and month -> tokens and cost."""


class Settlement(NamedTuple):
    """The end of a request."""

    lease: Lease
    tokens: int
    cost: int


class Debts:
    """Settlements and additions that Redis has not confirmed. Each may be sent again: Redis takes it once.

    They are bounded by the requests that were running when Redis failed, and by the callers of the meantime.
    """

    def __init__(self, replica: str) -> None:
        """Starts with none.

        Args:
            replica: The replica's name, unique in Redis.
        """
        self._replica = replica
        self._count = 0
        self._months: dict[tuple[str, str], list[int]] = {}
        self.settlements: dict[str, Settlement] = {}
        """By lease."""
        self.additions: dict[str, Months] = {}
        """By a name of their own."""

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.settlements or self.additions or self._months)

    def settle(self, lease: Lease, tokens: int, cost: int) -> None:
        """Owes the end of a request that Redis may know."""
        self.settlements[lease.id] = Settlement(lease, tokens, cost)

    def charge(self, rules: Rules, tokens: int, cost: int) -> None:
        """Owes what a request took that Redis does not charge by its lease."""
        if not tokens and not cost:
            return
        month = this_month()
        for rule in rules:
            if rule.reserves:
                owed = self._months.setdefault((rule.scope, month), [0, 0])
                owed[0] += tokens
                owed[1] += cost

    def name_addition(self) -> None:
        """Makes an addition of what was charged so far; it is not changed any more once it may have been sent."""
        if self._months:
            self._count += 1
            self.additions[f"{self._replica}/{self._count}"] = self._months
            self._months = {}
