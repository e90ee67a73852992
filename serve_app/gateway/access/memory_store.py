"""Limits of one replica, in its memory."""

import time

from serve_app.gateway.access.lease import Lease
from serve_app.gateway.access.limit_state import LimitState
from serve_app.gateway.access.months import this_month
from serve_app.gateway.access.rules import Rule, Rules
from serve_app.gateway.access.windows import EMPTY, MINUTE, WindowCounter

_SWEEP_SECONDS = MINUTE


class _Scope:
    """The counts of one scope."""

    __slots__ = (
        "month",
        "requests",
        "reserved_cost",
        "reserved_tokens",
        "running",
        "tokens",
        "used_cost",
        "used_tokens",
    )

    def __init__(self) -> None:
        self.requests = WindowCounter()
        self.tokens = WindowCounter()
        self.running = 0
        self.reserved_tokens = 0
        self.reserved_cost = 0
        self.month = ""
        """The month of the two counts below."""
        self.used_tokens = 0
        self.used_cost = 0

    def enter_month(self, month: str) -> None:
        """Starts the month's counts at 0 if they are of another month."""
        if self.month != month:
            self.month = month
            self.used_tokens = self.used_cost = 0

    def idle(self, now_ms: int, month: str) -> bool:
        """Whether it says the same as a new one."""
        used = self.month == month and (self.used_tokens or self.used_cost)
        return not (self.running or used) and self.requests.idle(now_ms) and self.tokens.idle(now_ms)


class MemoryStore:
    """Counts what this process does; the counts end with it, the monthly budgets' too.

    Nothing is awaited between the look at the counts and their change, so no request comes in between, and what one
    policy refuses is never charged to another.
    """

    def __init__(self) -> None:
        self._scopes: dict[str, _Scope] = {}
        self._sweep_at = 0.0

    @property
    def scopes(self) -> int:
        """How many scopes it has counts of."""
        return len(self._scopes)

    def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""
        now_ms, month = int(time.time() * 1000), this_month()
        return [self._state(rule, now_ms, month) for rule in rules]

    def enter(self, lease: Lease) -> list[LimitState]:
        """Lets a request in and reserves for it, if all scopes do, and returns how they stood before."""
        now = time.time()
        now_ms, month = int(now * 1000), this_month()
        states = [self._state(rule, now_ms, month) for rule in lease.rules]
        for state in states:
            if not state.open:
                return states
        if now >= self._sweep_at:
            self._sweep(now)
        for rule in lease.rules:
            if rule.requests:
                self._scope(rule).requests.add(now_ms, 1)
        self.hold(lease)
        return states

    def reserve(self, lease: Lease, tokens: int, cost: int) -> list[LimitState]:
        """Reserves for a request that is in, if all scopes can afford it; otherwise the request was never there.

        Returns:
            How the scopes stood before.
        """
        states = self.read(lease.rules)
        if all(state.affords for state in states):
            self.change(lease, tokens, cost)
            return states
        self.release(lease)
        now_ms = int(time.time() * 1000)
        for rule in lease.rules:
            if rule.requests:
                self._scope(rule).requests.add(now_ms, -1)
        return states

    def hold(self, lease: Lease) -> None:
        """Counts a running request, and what it reserves."""
        for rule in lease.rules:
            if rule.leased:
                scope = self._scope(rule)
                scope.running += 1
                scope.reserved_tokens += lease.tokens
                scope.reserved_cost += lease.cost

    def change(self, lease: Lease, tokens: int, cost: int) -> None:
        """Changes what a request reserves."""
        for rule in lease.rules:
            if rule.leased:
                scope = self._scope(rule)
                scope.reserved_tokens += tokens - lease.tokens
                scope.reserved_cost += cost - lease.cost
        lease.tokens, lease.cost = tokens, cost

    def release(self, lease: Lease) -> None:
        """Counts the end of a request that was held."""
        for rule in lease.rules:
            if rule.leased:
                scope = self._scope(rule)
                scope.running -= 1
                scope.reserved_tokens -= lease.tokens
                scope.reserved_cost -= lease.cost

    def charge(self, rules: Rules, tokens: int, cost: int) -> None:
        """Counts what a request took, also above the limits."""
        if not tokens and not cost:
            return
        now_ms, month = int(time.time() * 1000), this_month()
        for rule in rules:
            if rule.reserves:
                scope = self._scope(rule)
                scope.tokens.add(now_ms, tokens)
                scope.enter_month(month)
                scope.used_tokens += tokens
                scope.used_cost += cost

    def saw(self, state: LimitState) -> None:
        """Takes over the month's counts of all replicas."""
        scope = self._scope(state.rule)
        scope.month = this_month()
        scope.used_tokens, scope.used_cost = state.used_tokens, state.used_cost

    def _scope(self, rule: Rule) -> _Scope:
        scope = self._scopes.get(rule.scope)
        if scope is None:
            scope = self._scopes[rule.scope] = _Scope()
        return scope

    def _state(self, rule: Rule, now_ms: int, month: str) -> LimitState:
        scope = self._scope(rule)
        scope.enter_month(month)
        return LimitState(
            rule,
            scope.requests.at(now_ms) if rule.requests else EMPTY,
            scope.tokens.at(now_ms) if rule.tokens else EMPTY,
            scope.running,
            scope.used_tokens,
            scope.used_cost,
            scope.reserved_tokens,
            scope.reserved_cost,
        )

    def _sweep(self, now: float) -> None:
        """Forgets scopes of which there is nothing left to know: keys are revoked, and teams renamed."""
        self._sweep_at = now + _SWEEP_SECONDS
        now_ms, month = int(now * 1000), this_month()
        for name in [name for name, scope in self._scopes.items() if scope.idle(now_ms, month)]:
            del self._scopes[name]
