"""How a caller's limits stand."""

from serve_app.gateway.access.rules import Limit, Rule
from serve_app.gateway.access.windows import EMPTY, Window


class LimitState:
    """How a scope stood when a request asked to be let in, without the request itself."""

    __slots__ = (
        "requests",
        "requests_left",
        "reserved_cost",
        "reserved_tokens",
        "rule",
        "running",
        "tokens",
        "tokens_left",
        "used_cost",
        "used_tokens",
    )

    def __init__(
        self,
        rule: Rule,
        requests: Window = EMPTY,
        tokens: Window = EMPTY,
        running: int = 0,
        used_tokens: int = 0,
        used_cost: int = 0,
        reserved_tokens: int = 0,
        reserved_cost: int = 0,
    ) -> None:
        """Takes the counts.

        Args:
            rule: What limits the scope.
            requests: The window of requests.
            tokens: The window of tokens.
            running: Requests that are being answered.
            used_tokens: Tokens of this month.
            used_cost: Money of this month.
            reserved_tokens: Tokens that running requests may still take.
            reserved_cost: Money that they may still cost.
        """
        self.rule = rule
        self.requests = requests
        self.tokens = tokens
        self.running = running
        self.used_tokens = used_tokens
        self.used_cost = used_cost
        self.reserved_tokens = reserved_tokens
        self.reserved_cost = reserved_cost
        self.requests_left = requests.left(rule.requests)
        self.tokens_left = max(0, tokens.left(rule.tokens) - reserved_tokens)

    @property
    def open(self) -> bool:
        """Whether the scope lets a request in."""
        rule = self.rule
        return (
            not (rule.requests and not self.requests_left)
            and not (rule.concurrent and self.running >= rule.concurrent)
            and (not rule.reserves or self.affords)
        )

    @property
    def affords(self) -> bool:
        """Whether there are tokens and money that no running request has reserved."""
        rule = self.rule
        return not (
            (rule.tokens and not self.tokens_left)
            or (rule.monthly_tokens and self.used_tokens + self.reserved_tokens >= rule.monthly_tokens)
            or (rule.monthly_cost and self.used_cost + self.reserved_cost >= rule.monthly_cost)
        )

    def exceeded(self, *, reserving: bool) -> list[Limit]:
        """The limits that refuse a request.

        Args:
            reserving: Whether the request is counted already and wants to reserve tokens, so that only those matter.
        """
        rule = self.rule
        exceeded = {
            Limit.REQUESTS: not reserving and rule.requests and not self.requests_left,
            Limit.CONCURRENT: not reserving and rule.concurrent and self.running >= rule.concurrent,
            Limit.TOKENS: rule.tokens and not self.tokens_left,
            Limit.BUDGET: rule.monthly_tokens and self.used_tokens + self.reserved_tokens >= rule.monthly_tokens,
            Limit.COST: rule.monthly_cost and self.used_cost + self.reserved_cost >= rule.monthly_cost,
        }
        return [limit for limit, is_exceeded in exceeded.items() if is_exceeded]
