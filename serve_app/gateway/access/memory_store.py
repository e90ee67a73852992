"""Limits of one replica, in its memory."""

from serve_app.gateway.access.budget import Budgets, budget_key, cost_key
from serve_app.gateway.access.charge import Charge
from serve_app.gateway.access.rules import LimitState, Rule, Rules
from serve_app.gateway.access.windows import EMPTY, Windows


class MemoryStore:
    """Counts what this process does; the counts end with it, those of months too.

    Nothing is awaited between the look at the counts and their change, so no request comes in between, and what one
    policy refuses is never charged to another.
    """

    def __init__(self) -> None:
        self._windows = Windows()
        self._running: dict[str, int] = {}
        self.budgets = Budgets()

    @property
    def counts(self) -> int:
        """How many windows it holds."""
        return len(self._windows)

    def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""
        return [self._read(rule) for rule in rules]

    def take(self, rules: Rules, charge: Charge) -> list[LimitState]:
        """Lets a request in and reserves its charge, if all scopes are open; returns how they stood."""
        states = self.read(rules)
        if all(state.open for state in states):
            for rule in rules:
                if rule.requests:
                    self._windows.count(rule.requests_key)
            self.hold(rules)
            self.charge(rules, charge)
        return states

    def reserve(self, rules: Rules, charge: Charge) -> list[LimitState]:
        """Reserves the charge of a request that was let in, if all scopes have tokens and money left."""
        states = self.read(rules)
        if all(state.has_tokens for state in states):
            self.charge(rules, charge)
        return states

    def charge(self, rules: Rules, charge: Charge) -> None:
        """Counts tokens and their price, also above the limits; below 0 it gives back what was reserved."""
        for rule in rules:
            if rule.tokens and charge.tokens:
                self._windows.count(rule.tokens_key, charge.tokens)
            if rule.budget and charge.tokens:
                self.budgets.charge(budget_key(rule.scope), charge.tokens)
            if rule.cost and charge.micros:
                self.budgets.charge(cost_key(rule.scope), charge.micros)

    def hold(self, rules: Rules) -> None:
        """Counts a running request."""
        for rule in rules:
            if rule.concurrent:
                self._running[rule.scope] = self._running.get(rule.scope, 0) + 1

    def release(self, rules: Rules) -> None:
        """Counts the end of a request that was held by the same rules."""
        for rule in rules:
            if rule.concurrent:
                running = self._running[rule.scope] - 1
                if running:
                    self._running[rule.scope] = running
                else:
                    del self._running[rule.scope]

    def _read(self, rule: Rule) -> LimitState:
        return LimitState(
            rule,
            requests=self._windows.read(rule.requests_key) if rule.requests else EMPTY,
            tokens=self._windows.read(rule.tokens_key) if rule.tokens else EMPTY,
            running=self._running.get(rule.scope, 0),
            used=self.budgets.used(budget_key(rule.scope)) if rule.budget else 0,
            spent=self.budgets.used(cost_key(rule.scope)) if rule.cost else 0,
        )
