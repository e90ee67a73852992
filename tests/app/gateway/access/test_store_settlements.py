"""Each request is charged once, also if Redis fails between the question and the answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from serve_app.gateway.access.lease import Lease
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.redis_batches import BatchingRedis
from serve_app.gateway.access.redis_store import RedisStore
from serve_app.gateway.access.shared_store import SharedStore
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.gateway.exchange.caller import Caller

from ..support import until
from .limit_support import FakeServer, Replica, Server, caller, policy, sharing, until_running, until_used

WARM_UP = Caller(policies=(("key/first", policy(concurrent_requests=1, monthly_tokens=5)),))
WHO = caller(key=policy(concurrent_requests=50), team=policy(monthly_tokens=10_000))


async def shares(replica: Replica, shared: int = 1) -> None:
    await until(lambda: replica.value("limits_shared") == shared)


async def loaded(replica: Replica) -> None:
    """Has Redis run all scripts once, so that it knows them: each is then one command, which may run unanswered."""
    grant = await replica.enter(WARM_UP)
    await grant.reserve(1, 0)
    grant.settle(1, 0)
    await until_running(replica, WARM_UP, 0)


async def stays_used(replica: Replica, tokens: int) -> None:
    await until_used(replica, WHO, tokens)
    await asyncio.sleep(0.1)
    await until_used(replica, WHO, tokens)


async def test_a_settlement_that_ran_but_was_not_confirmed_is_charged_once(server: Server) -> None:
    async with sharing(server) as replica:
        await loaded(replica)
        grants = [await replica.enter(WHO, 100, 0) for _ in range(3)]
        server.freeze()  # Redis gets it, and its answer comes too late
        for grant in grants:
            grant.settle(30, 0)
        await shares(replica, 0)
        assert (await replica.standing(WHO, "monthly_tokens"))["team"]["used"] == 90, "it counts here meanwhile"
        server.thaw()
        await shares(replica)
        await stays_used(replica, 90)
        await until_running(replica, WHO, 0)
        assert (await replica.standing(WHO, "monthly_tokens"))["team"]["reserved"] == 0


async def test_an_entry_that_ran_but_was_not_confirmed_is_charged_once(server: Server) -> None:
    async with sharing(server) as replica:
        await loaded(replica)
        server.freeze()
        ended, runs = await asyncio.gather(replica.enter(WHO, 100, 0), replica.enter(WHO, 100, 0))
        ended.settle(30, 0)
        server.thaw()
        await shares(replica)
        await until_running(replica, WHO, 1)
        assert (await replica.standing(WHO, "monthly_tokens"))["team"]["reserved"] == 100
        runs.settle(40, 0)
        await stays_used(replica, 70)
        await until_running(replica, WHO, 0)


async def test_a_reservation_that_ran_but_was_not_confirmed_is_held_once(server: Server) -> None:
    async with sharing(server) as replica:
        await loaded(replica)
        grant = await replica.enter(WHO)
        server.freeze()
        await grant.reserve(500, 0)
        server.thaw()
        await shares(replica)
        assert (await replica.standing(WHO, "monthly_tokens"))["team"]["reserved"] == 500
        grant.settle(1, 0)
        await stays_used(replica, 1)
        assert (await replica.standing(WHO, "monthly_tokens"))["team"]["reserved"] == 0


class Hindered(RedisStore):
    """Waits before each renewal until a test says so, and does not hear the answer to its first addition."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.renewing = asyncio.Event()
        self.gate = asyncio.Event()
        self.additions: list[str] = []

    async def renew(self, leases: Iterable[Lease]) -> None:
        renewed = list(leases)
        self.renewing.set()
        await self.gate.wait()
        await super().renew(renewed)

    async def add(self, name: str, months: Mapping[tuple[str, str], Sequence[int]]) -> None:
        await super().add(name, months)
        self.additions.append(name)
        if len(self.additions) == 1:
            raise TimeoutError


@contextlib.asynccontextmanager
async def hindered(server: FakeServer) -> AsyncIterator[tuple[Replica, Hindered]]:
    pool = server.pool()
    redis = Hindered(BatchingRedis(pool))
    metrics = LimitMetrics(registry := CollectorRegistry())
    shared = SharedStore(redis, metrics, timeout_seconds=5, probe_seconds=0.01)
    async with Supervisor.running(registry) as supervisor, shared.tended(supervisor) as store:
        replica = Replica(store, registry, metrics)
        await shares(replica)
        yield replica, redis
    await pool.aclose()


async def test_requests_that_come_and_go_while_redis_comes_back_are_told_too() -> None:
    server = FakeServer()
    async with hindered(server) as (replica, redis):
        before = await replica.enter(WHO, 100, 0)
        await server.stop()
        during = await replica.enter(WHO, 100, 0)
        await server.start()
        await redis.renewing.wait()  # it has looked which requests run
        late, stays = await replica.enter(WHO, 100, 0), await replica.enter(WHO, 100, 0)
        before.settle(1, 0)
        during.settle(10, 0)
        late.settle(100, 0)
        redis.gate.set()
        await shares(replica)
        stays.settle(1000, 0)
        await stays_used(replica, 1111)
        await until_running(replica, WHO, 0)
        assert (await replica.standing(WHO, "monthly_tokens"))["team"]["reserved"] == 0


async def test_what_a_replica_counted_by_itself_is_added_once() -> None:
    server = FakeServer()
    async with hindered(server) as (replica, redis):
        redis.gate.set()
        await server.stop()
        (await replica.enter(WHO, 100, 0)).settle(30, 0)
        await server.start()
        await until(lambda: len(redis.additions) == 2)
        assert redis.additions[0] == redis.additions[1]
        await shares(replica)
        await stays_used(replica, 30)


async def test_what_redis_does_not_know_at_the_end_is_told_then(server: Server) -> None:
    async with sharing(server) as survivor:
        async with sharing(server) as ends:
            (await ends.enter(WHO, 100, 0)).settle(30, 0)
        await stays_used(survivor, 30)
        assert (await survivor.standing(WHO, "concurrent_requests"))["key"]["running"] == 0


async def test_many_settlements_are_told_in_parts(server: Server) -> None:
    who = caller(team=policy(monthly_tokens=10**9))
    async with sharing(server) as replica:
        grants = await asyncio.gather(*(replica.enter(who, 1, 0) for _ in range(450)))
        server.freeze()
        for grant in grants:
            grant.settle(2, 0)
        await shares(replica, 0)
        server.thaw()
        await shares(replica)
        await until_used(replica, who, 900)
        assert (await replica.standing(who, "monthly_tokens"))["team"]["reserved"] == 0
