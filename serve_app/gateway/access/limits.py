"""How much a caller may ask for."""

import itertools
from typing import Any

from serve_app.gateway.access.budget import this_month
from serve_app.gateway.access.charge import MICROS, NOTHING, Charge
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.refusals import limit_headers, refusal
from serve_app.gateway.access.rules import LimitState, RuleBook, Rules
from serve_app.gateway.access.store import Store
from serve_app.gateway.api.errors import ApiError, Header
from serve_app.gateway.exchange.caller import Caller


class Grant:
    """A request that was let in. It has to be left, whatever becomes of it."""

    __slots__ = ("_limiter", "_number", "_reserved", "_rules", "headers")

    def __init__(self, limiter: "Limiter", rules: Rules, number: int, reserved: Charge, headers: list[Header]) -> None:
        self.headers = headers
        """For the answer."""
        self._limiter = limiter
        self._rules = rules
        self._number = number
        self._reserved = reserved

    async def reserve(self, charge: Charge) -> None:
        """Reserves what the request may take, once that is known.

        Raises:
            ApiError: 429, there are no tokens or no money left; the grant still has to be left.
        """
        await self._limiter.reserve(self, self._rules, charge)
        self._reserved = charge

    def leave(self, charge: Charge = NOTHING) -> None:
        """Ends the request, once.

        Args:
            charge: What it took: tokens of prompt and answer, and their price.
        """
        self._limiter.leave(self._rules, self._number, charge.beyond(self._reserved))


class _Unlimited(Grant):
    """Of callers without limits: nothing is counted."""

    def __init__(self) -> None:
        self.headers = []

    async def reserve(self, charge: Charge) -> None:
        """Reserves nothing."""

    def leave(self, charge: Charge = NOTHING) -> None:
        """Ends nothing."""


NO_GRANT = _Unlimited()


class Limiter:
    """Lets requests in while all policies of their caller allow it.

    Nobody knows what an answer will take before it has ended. So an estimate is reserved when a request comes in, and
    what it took is settled when it ends: however many requests come at once, a budget is passed by one request's
    estimate at most, and by what an answer takes beyond its own.
    """

    def __init__(self, store: Store, metrics: LimitMetrics) -> None:
        self._store = store
        self._metrics = metrics
        self._book = RuleBook()
        self._numbers = itertools.count(1)
        self.leave = store.leave

    def counts_tokens(self, caller: Caller) -> bool:
        """Whether an estimate of tokens is of use for a caller."""
        return any(rule.counts_tokens for rule in self._book.of(caller))

    async def enter(self, caller: Caller, charge: Charge = NOTHING) -> Grant:
        """Lets a request in.

        Args:
            caller: Who asks.
            charge: What to reserve, where it is known by then.

        Raises:
            ApiError: 429 `rate_limit_exceeded`, or `insufficient_quota` where the month's tokens or money are used up.
        """
        rules = self._book.of(caller)
        if not rules:
            return NO_GRANT
        number = next(self._numbers)
        states = await self._store.take(rules, number, charge)
        for state in states:
            if not state.open:
                raise self._refusal(states)
        return Grant(self, rules, number, charge, limit_headers(states, let_in=True))

    async def reserve(self, grant: Grant, rules: Rules, charge: Charge) -> None:
        """See `Grant.reserve`."""
        counting = [rule for rule in rules if rule.counts_tokens]
        if not counting or charge == NOTHING:
            return
        states = await self._store.reserve(counting, charge)
        if not all(state.has_tokens for state in states):
            raise self._refusal(states)

    def _refusal(self, states: list[LimitState]) -> ApiError:
        refused, limit, error = refusal(states)
        self._metrics.rejected(refused.rule.kind, limit)
        return error

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
    if rule.cost:
        usage["monthly_cost"] = {
            "limit": rule.cost / MICROS,
            "remaining": max(0, rule.cost - state.spent) / MICROS,
            "used": state.spent / MICROS,
            "month": this_month(),
        }
    if rule.budget:
        usage["monthly_tokens"] = {
            "limit": rule.budget,
            "remaining": max(0, rule.budget - state.used),
            "used": state.used,
            "month": this_month(),
        }
    return usage
