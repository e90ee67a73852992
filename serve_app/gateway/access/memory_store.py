"""Limits of one replica, in its memory."""

import inspect
import time

from limits.storage import MemoryStorage

from serve_app.gateway.access.budget import Budgets, budget_key
from serve_app.gateway.access.rules import LimitState, Rule, Rules
from serve_app.gateway.access.windows import EMPTY, MINUTE, Window


class _Windows(MemoryStorage):
    """The library's counts without its threads and locks.

    By itself it starts a thread that looks through all counts for old ones, up to a hundred times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sweep_at = 0.0
        self._minute = -1
        self._keys: dict[str, tuple[str, str]] = {}

    def sliding_window_keys(self, key: str, expiry: int, at: float) -> tuple[str, str]:  # type: ignore[override]
        """The library's names for a key's last minute and this one, made once a minute: each request asks six times.

        All windows here are minutes, so the names are kept without `expiry`.
        """
        minute = int(at / expiry)
        if minute != self._minute:
            self._minute = minute
            self._keys.clear()
        keys = self._keys.get(key)
        if keys is None:
            keys = self._keys[key] = super().sliding_window_keys(key, expiry, at)
        return keys

    def get(self, key: str) -> int:
        """A count. Its key names its minute, so nobody asks for one that is too old."""
        return self.storage.get(key, 0)

    def count(self, key: str, amount: int = 1) -> None:
        """Adds to this minute's count, whatever the limit is."""
        now = time.time()
        _, current_key = self.sliding_window_keys(key, MINUTE, now)
        if current_key not in self.expirations:
            self.expirations[current_key] = now + 2 * MINUTE
            if now >= self._sweep_at:
                self._sweep(now)
        self.storage[current_key] += amount

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + MINUTE
        for key in [key for key, till in self.expirations.items() if till <= now]:
            del self.expirations[key], self.storage[key]


# The library wraps it in what translates a server's errors, once for each class of the line; here is no server.
_Windows.get_sliding_window = inspect.unwrap(_Windows.get_sliding_window)  # type: ignore[method-assign]


class MemoryStore:
    """Counts what this process does; the counts end with it, the monthly budgets' too.

    Nothing is awaited between the look at the counts and their change, so no request comes in between, and what one
    policy refuses is never charged to another. That is why it is the library's storage without asyncio.
    """

    def __init__(self) -> None:
        """Starts at 0."""
        self._windows = _Windows()
        self._running: dict[str, int] = {}
        self.budgets = Budgets()

    @property
    def counts(self) -> int:
        """How many windows it holds."""
        return len(self._windows.storage)

    def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""
        return [self._read(rule) for rule in rules]

    def take(self, rules: Rules) -> list[LimitState]:
        """Lets a request in, if all scopes do, and returns how they stood."""
        states = [self._read(rule) for rule in rules]
        for state in states:
            if not state.open:
                return states
        for rule in rules:
            if rule.requests:
                self._windows.count(rule.requests_key)
        self.hold(rules)
        return states

    def charge(self, rules: Rules, tokens: int) -> None:
        """Counts the tokens of an answer, also above the limits."""
        for rule in rules if tokens else ():
            if rule.tokens:
                self._windows.count(rule.tokens_key, tokens)
            if rule.budget:
                self.budgets.charge(budget_key(rule.scope), tokens)

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
        window = self._windows.get_sliding_window
        return LimitState(
            rule,
            requests=Window(*window(rule.requests_key, MINUTE)) if rule.requests else EMPTY,
            tokens=Window(*window(rule.tokens_key, MINUTE)) if rule.tokens else EMPTY,
            running=self._running.get(rule.scope, 0),
            used=self.budgets.used(budget_key(rule.scope)) if rule.budget else 0,
        )
