"""What one replica keeps in memory, and for how long."""

import threading

import pytest

from serve_app.gateway.access.lease import Lease
from serve_app.gateway.access.memory_store import MemoryStore
from serve_app.gateway.access.rules import Rule

from .limit_support import Clock, policy

LIMITS = policy(requests_per_minute=5, tokens_per_minute=5)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.in_place(monkeypatch)


def served(store: MemoryStore, scope: str, **limits: float) -> None:
    """One request from its start to its end, which took a token."""
    lease = Lease([Rule.of(scope, policy(**limits) if limits else LIMITS)])
    store.enter(lease)
    store.release(lease)
    store.charge(lease.rules, 1, 1)


def test_scopes_are_forgotten_when_nothing_of_them_counts(clock: Clock) -> None:
    store = MemoryStore()
    threads = threading.active_count()
    for number in range(100):
        served(store, f"key/{number}")
    assert store.scopes == 100
    clock.now += 119
    served(store, "key/last")
    assert store.scopes == 101, "the month's tokens still count"
    clock.now += 31 * 86400
    served(store, "key/last")
    assert store.scopes == 1
    assert threading.active_count() == threads


def test_a_running_request_keeps_its_scope(clock: Clock) -> None:
    store = MemoryStore()
    lease = Lease([Rule.of("key/a", policy(concurrent_requests=1, tokens_per_minute=100))], tokens=30)
    store.enter(lease)
    clock.now += 40 * 86400
    served(store, "key/b")
    (state,) = store.read(lease.rules)
    assert (store.scopes, state.running, state.reserved_tokens) == (2, 1, 30)


def test_a_months_count_starts_anew_with_the_month(clock: Clock) -> None:
    store = MemoryStore()
    served(store, "key/a", monthly_tokens=5, monthly_cost=1)
    rules = [Rule.of("key/a", policy(monthly_tokens=5))]
    assert [(state.used_tokens, state.used_cost) for state in store.read(rules)] == [(1, 1)]
    clock.now += 2 * 86400
    assert [(state.used_tokens, state.used_cost) for state in store.read(rules)] == [(0, 0)]
