"""What limits a caller, made ready for the hot path, and how it stands."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from serve_app.gateway.access.charge import MICROS
from serve_app.gateway.access.windows import EMPTY, Window
from serve_app.gateway.exchange.caller import Caller
from serve_app.settings.gateway import Policy

_MAX_REMEMBERED = 10_000


class Limit(StrEnum):
    """What a policy can limit; the names are the metrics' label values."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    CONCURRENT = "concurrent"
    BUDGET = "budget"
    COST = "cost"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A policy of one scope. Limits are 0 where there is none; stores count by the scope, so edits keep the counts."""

    policy: Policy
    scope: str
    kind: str
    """`key`, `team` or `subject`."""
    name: str
    requests: int
    tokens: int
    concurrent: int
    budget: int
    cost: int
    """Millionths of the currency's unit."""
    requests_key: str
    tokens_key: str

    @classmethod
    def of(cls, scope: str, policy: Policy) -> "Rule":
        """The rule of a caller's policy."""
        kind, _, name = scope.partition("/")
        return cls(
            policy=policy,
            scope=scope,
            kind=kind,
            name=name,
            requests=policy.requests_per_minute or 0,
            tokens=policy.tokens_per_minute or 0,
            concurrent=policy.concurrent_requests or 0,
            budget=policy.monthly_tokens or 0,
            cost=math.ceil((policy.monthly_cost or 0) * MICROS),
            requests_key=f"requests/{scope}",
            tokens_key=f"tokens/{scope}",
        )

    @property
    def limits_something(self) -> bool:
        """Whether there is any limit in it."""
        return bool(self.requests or self.concurrent or self.counts_tokens)

    @property
    def counts_tokens(self) -> bool:
        """Whether it limits tokens or their price."""
        return bool(self.tokens or self.budget or self.cost)


Rules = Sequence[Rule]


class RuleBook:
    """Finds callers' rules without making them anew for each request."""

    def __init__(self) -> None:
        """Starts empty."""
        self._rules: dict[str, Rule] = {}

    def of(self, caller: Caller) -> list[Rule]:
        """What limits a caller; a policy that was reloaded is another object, and so makes another rule."""
        rules = []
        for scope, policy in caller.policies:
            rule = self._rules.get(scope)
            if rule is None or rule.policy is not policy:
                if len(self._rules) >= _MAX_REMEMBERED:  # tokens' subjects may be any number
                    self._rules.clear()
                rule = self._rules[scope] = Rule.of(scope, policy)
            if rule.limits_something:
                rules.append(rule)
        return rules


class LimitState:
    """How a scope stood when a request asked to be let in, without the request itself."""

    __slots__ = ("requests", "requests_left", "rule", "running", "spent", "tokens", "tokens_left", "used")

    def __init__(
        self,
        rule: Rule,
        *,
        requests: Window = EMPTY,
        tokens: Window = EMPTY,
        running: int = 0,
        used: int = 0,
        spent: int = 0,
    ) -> None:
        """Takes the counts.

        Args:
            rule: What limits the scope.
            requests: The window of requests.
            tokens: The window of tokens.
            running: Requests that are being answered.
            used: Tokens of this month, reserved ones too.
            spent: Their price, in millionths.
        """
        self.rule = rule
        self.requests = requests
        self.tokens = tokens
        self.running = running
        self.used = used
        self.spent = spent
        self.requests_left = requests.left(rule.requests)
        self.tokens_left = tokens.left(rule.tokens)

    @property
    def open(self) -> bool:
        """Whether the scope lets the request in."""
        rule = self.rule
        if (rule.requests and not self.requests_left) or (rule.concurrent and self.running >= rule.concurrent):
            return False
        return self.has_tokens

    @property
    def has_tokens(self) -> bool:
        """Whether tokens and money are left."""
        rule = self.rule
        return not (
            (rule.tokens and not self.tokens_left)
            or (rule.budget and self.used >= rule.budget)
            or (rule.cost and self.spent >= rule.cost)
        )

    def exceeded(self) -> list[Limit]:
        """The limits that are reached."""
        rule = self.rule
        exceeded = {
            Limit.REQUESTS: rule.requests and not self.requests_left,
            Limit.TOKENS: rule.tokens and not self.tokens_left,
            Limit.CONCURRENT: rule.concurrent and self.running >= rule.concurrent,
            Limit.BUDGET: rule.budget and self.used >= rule.budget,
            Limit.COST: rule.cost and self.spent >= rule.cost,
        }
        return [limit for limit, is_exceeded in exceeded.items() if is_exceeded]
