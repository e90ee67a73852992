"""What limits a caller, in the form that the hot path reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from serve_app.gateway.exchange.caller import Caller
from serve_app.settings.gateway import Policy

MICRO = 1_000_000
"""Money is counted in millionths of the currency's unit: a token at 0.15 per million costs 0.15 of them."""
_MAX_REMEMBERED = 10_000


class Limit(StrEnum):
    """What a policy can limit; the names are label values of metrics."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    CONCURRENT = "concurrent"
    BUDGET = "budget"
    """Tokens of a month."""
    COST = "cost"
    """Money of a month."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A policy of one scope. Limits are 0 where there is none; stores count by the scope, so edits keep the counts."""

    scope: str
    kind: str
    """`key`, `team` or `subject`."""
    name: str
    requests: int
    """Requests per minute."""
    tokens: int
    """Tokens per minute."""
    concurrent: int
    """Requests at once."""
    monthly_tokens: int
    monthly_cost: int
    """In `MICRO`."""
    reserves: bool
    """Whether it limits tokens or money, so that requests reserve an estimate."""
    leased: bool
    """Whether running requests are known to the stores one by one."""

    @classmethod
    def of(cls, scope: str, policy: Policy) -> "Rule":
        """The rule of a caller's policy."""
        kind, _, name = scope.partition("/")
        tokens, monthly_tokens = policy.tokens_per_minute or 0, policy.monthly_tokens or 0
        monthly_cost = max(1, round(policy.monthly_cost * MICRO)) if policy.monthly_cost else 0
        reserves = bool(tokens or monthly_tokens or monthly_cost)
        return cls(
            scope=scope,
            kind=kind,
            name=name,
            requests=policy.requests_per_minute or 0,
            tokens=tokens,
            concurrent=policy.concurrent_requests or 0,
            monthly_tokens=monthly_tokens,
            monthly_cost=monthly_cost,
            reserves=reserves,
            leased=reserves or bool(policy.concurrent_requests),
        )

    @property
    def limits_something(self) -> bool:
        """Whether there is any limit in it."""
        return self.leased or bool(self.requests)


Rules = Sequence[Rule]


class RuleBook:
    """Callers' rules, made once for each caller object; a reload makes other callers."""

    def __init__(self) -> None:
        self._rules: dict[int, tuple[Caller, Rules]] = {}
        """By `id` of the caller, which is kept beside its rules, so that no other object can have the same."""

    def of(self, caller: Caller) -> Rules:
        """What limits a caller; empty for one without limits."""
        known = self._rules.get(id(caller))
        if known is not None:
            return known[1]
        rules = tuple(rule for rule in (Rule.of(*each) for each in caller.policies) if rule.limits_something)
        if len(self._rules) >= _MAX_REMEMBERED:
            self._rules.clear()
        self._rules[id(caller)] = caller, rules
        return rules
