"""Memory and Redis come to the same numbers, whatever happens in whatever order, at the same times."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serve_app.gateway.access import redis_scripts
from serve_app.gateway.access.lease import Lease
from serve_app.gateway.access.limit_state import LimitState
from serve_app.gateway.access.memory_store import MemoryStore
from serve_app.gateway.access.redis_batches import BatchingRedis
from serve_app.gateway.access.redis_store import RedisStore
from serve_app.gateway.access.rules import Rule, Rules

from .limit_support import Clock, FakeServer, RealServer, Server, needs_a_server, policy

HUNDREDS = st.integers(1, 20).map(lambda hundreds: hundreds * 100)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "requests_per_minute": st.integers(1, 8),
        "tokens_per_minute": HUNDREDS,
        "concurrent_requests": st.integers(1, 4),
        "monthly_tokens": HUNDREDS,
        "monthly_cost": HUNDREDS.map(lambda micro: micro / 1_000_000),
    },
)
_AMOUNT = st.integers(0, 6).map(lambda hundreds: hundreds * 100)
AMOUNTS = st.tuples(_AMOUNT, _AMOUNT)
"""Hundreds, as the limits are, so that many land on one exactly."""
STEPS = st.one_of(
    st.tuples(st.just("enter"), AMOUNTS),
    st.tuples(st.just("reserve"), st.integers(0, 9), AMOUNTS),
    st.tuples(st.just("settle"), st.integers(0, 9), AMOUNTS),
    st.tuples(st.just("wait"), st.integers(0, 150_000)),
)
names = itertools.count()


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=needs_a_server)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("redis")
    server = FakeServer() if request.param == "fake" else RealServer(folder)
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Of the process; scripts read the same from a key, in place of the server's own clock."""
    for name in ("ENTER", "SETTLE", "RENEW"):
        script = getattr(redis_scripts, name)
        assert redis_scripts.CLOCK in script
        monkeypatch.setattr(
            redis_scripts, name, script.replace(redis_scripts.CLOCK, "redis.call('LRANGE', 'clock', 0, 1)")
        )
    return Clock.in_place(monkeypatch)


class Twins:
    """A store in memory and one in Redis, which are told the same."""

    def __init__(self, client: Any, clock: Clock, rules: Rules) -> None:
        self.client = client
        self.clock = clock
        self.rules = rules
        self.memory = MemoryStore()
        self.redis = RedisStore(client)
        self.running: list[tuple[Lease, Lease]] = []

    async def tell_time(self) -> None:
        seconds, milliseconds = divmod(int(self.clock.now * 1000), 1000)
        await self.client.delete("clock")
        await self.client.rpush("clock", seconds, milliseconds * 1000)

    async def enter(self, amounts: tuple[int, int]) -> None:
        here, there = Lease(self.rules, *amounts), Lease(self.rules, *amounts)
        there.id = f"lease/{next(names)}"
        states = self.memory.enter(here)
        same(states, await self.redis.enter(there))
        if all(state.open for state in states):
            self.running.append((here, there))

    async def reserve(self, number: int, amounts: tuple[int, int]) -> None:
        if self.running:
            pair = self.running[number % len(self.running)]
            states = self.memory.reserve(pair[0], *amounts)
            same(states, await self.redis.reserve(pair[1], *amounts))
            pair[1].tokens, pair[1].cost = amounts
            if not all(state.affords for state in states):
                self.running.remove(pair)

    async def settle(self, number: int, amounts: tuple[int, int]) -> None:
        if self.running:
            here, there = self.running.pop(number % len(self.running))
            self.memory.release(here)
            self.memory.charge(self.rules, *amounts)
            for _ in range(2):  # the second time does nothing
                await self.redis.settle(there, *amounts)

    async def wait(self, milliseconds: int) -> None:
        for pause in [20_000] * (milliseconds // 20_000) + [milliseconds % 20_000]:
            self.clock.now += pause / 1000
            await self.tell_time()
            await self.redis.renew([there for _, there in self.running])


def same(here: list[LimitState], there: list[LimitState]) -> None:
    for one, other in zip(here, there, strict=True):
        for name in set(LimitState.__slots__) - {"running", "used_tokens", "used_cost"}:
            assert getattr(one, name) == getattr(other, name), name
        rule = one.rule
        assert not rule.leased or one.running == other.running
        if rule.monthly_tokens or rule.monthly_cost:
            assert (one.used_tokens, one.used_cost) == (other.used_tokens, other.used_cost)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limits=st.lists(LIMITS, min_size=1, max_size=2), second=st.integers(0, 59_999), steps=st.lists(STEPS, max_size=25)
)
def test_memory_and_redis_agree(
    server: Server, clock: Clock, limits: list[dict[str, float]], second: int, steps: list[Any]
) -> None:
    clock.now = Clock().now + second / 1000
    rules = [Rule.of(f"key/{next(names)}", policy(**each)) for each in limits]

    async def run() -> None:
        pool = server.pool()
        client: Any = BatchingRedis(pool)
        twins = Twins(client, clock, rules)
        await twins.tell_time()
        for name, *arguments in steps:
            await getattr(twins, name)(*arguments)
            same(twins.memory.read(rules), await twins.redis.read(rules))
        await pool.aclose()

    asyncio.run(run())
