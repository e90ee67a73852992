"""How much a caller may ask for."""

import itertools
from typing import Any

from serve_app.gateway.access.budget import this_month
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.refusals import limit_headers, refusal
from serve_app.gateway.access.rules import LimitState, RuleBook, Rules
from serve_app.gateway.access.store import Store
from serve_app.gateway.api.errors import Header
from serve_app.gateway.exchange.caller import Caller


class Grant:
    """A request that was let in."""

    __slots__ = ("_number", "_rules", "_store", "headers")

    def __init__(self, headers: list[Header], store: Store, rules: Rules, number: int) -> None:
        """Joins what it takes to end it.

        Args:
            headers: For the answer.
            store: Where it counts.
            rules: What it counts for.
            number: Its number there.
        """
        self.headers = headers
        self._store = store
        self._rules = rules
        self._number = number

    def leave(self, tokens: int) -> None:
        """Ends the request, once.

        Args:
            tokens: What it took, prompt and answer together; 0 if that is not known.
        """
        self._store.leave(self._rules, self._number, tokens)


class _Unlimited(Grant):
    """Of callers without limits: nothing is counted."""

    def __init__(self) -> None:
        self.headers = []

    def leave(self, tokens: int) -> None:
        """Ends nothing."""


NO_GRANT = _Unlimited()


class Limiter:
    """Lets requests in while all policies of their caller allow it.

    Nobody knows what an answer will take before it has ended, so tokens are charged then: a request is let in while
    there are tokens left, and the last one may take more than that, which makes the next ones wait for longer.
    """

    def __init__(self, store: Store, metrics: LimitMetrics) -> None:
        """Joins the parts.

        Args:
            store: Where it is counted; see `store.opened`.
            metrics: Where refusals are counted.
        """
        self._store = store
        self._metrics = metrics
        self._book = RuleBook()
        self._numbers = itertools.count(1)

    async def enter(self, caller: Caller) -> Grant:
        """Lets a request in; its grant has to be left, whatever becomes of it.

        Raises:
            ApiError: 429 `rate_limit_exceeded`, or `insufficient_quota` where the month's tokens are used up.
        """
        rules = self._book.of(caller)
        if not rules:
            return NO_GRANT
        number = next(self._numbers)
        states = await self._store.take(rules, number)
        for state in states:
            if not state.open:
                refused, limit, error = refusal(states)
                self._metrics.rejected(refused.rule.kind, limit)
                raise error
        return Grant(limit_headers(states, let_in=True), self._store, rules, number)

    async def usage(self, caller: Caller) -> dict[str, Any]:
        """A caller's limits and how they stand, as JSON; it costs the caller nothing."""
        rules = self._book.of(caller)
        states = await self._store.read(rules) if rules else []
        return {"shared": self._store.shared, "limits": [_usage(state) for state in states]}


def _usage(state: LimitState) -> dict[str, Any]:
    rule = state.rule
    usage: dict[str, Any] = {"scope": rule.kind, "name": rule.name}
    if rule.requests:
        reset = round(state.requests.seconds_to_empty(), 3)
        usage["requests_per_minute"] = {
            "limit": rule.requests,
            "remaining": state.requests_left,
            "reset_seconds": reset,
        }
    if rule.tokens:
        reset = round(state.tokens.seconds_to_empty(), 3)
        usage["tokens_per_minute"] = {"limit": rule.tokens, "remaining": state.tokens_left, "reset_seconds": reset}
    if rule.concurrent:
        usage["concurrent_requests"] = {"limit": rule.concurrent, "running": state.running}
    if rule.budget:
        usage["monthly_tokens"] = {
            "limit": rule.budget,
            "remaining": max(0, rule.budget - state.used),
            "used": state.used,
            "month": this_month(),
        }
    return usage
