"""Limits that several replicas share through Redis."""

import asyncio
import time
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.limits import Grant
from serve_app.gateway.access.months import this_month
from serve_app.gateway.access.redis_batches import BatchingRedis
from serve_app.gateway.access.redis_scripts import LEASE_SECONDS
from serve_app.gateway.access.store import ReplicaStore, opened
from serve_app.gateway.background.supervisor import Supervisor

from ..support import until
from .limit_support import (
    FakeServer,
    Server,
    caller,
    client_of,
    eventually,
    headers_of,
    policy,
    running,
    sharing,
    until_running,
    until_used,
)


async def test_two_replicas_act_as_one(server: Server) -> None:
    async with sharing(server) as one, sharing(server) as two:
        requests = caller(key=policy(requests_per_minute=4))
        for replica, left in ((one, 3), (two, 2), (one, 1), (two, 0)):
            grant = await replica.enter(requests)
            assert headers_of(grant)["x-ratelimit-remaining-requests"] == str(left)
        for replica in (one, two):
            assert (await replica.refused(requests)).code == "rate_limit_exceeded"
            assert replica.value("limits_shared") == 1

        slots = caller(key=policy(concurrent_requests=2))
        first, _ = await one.enter(slots), await two.enter(slots)
        await one.refused(slots)
        await two.refused(slots)
        first.settle(0, 0)
        await until_running(two, slots, 1)
        await two.enter(slots)
        await one.refused(slots)

        spent = caller(team=policy(tokens_per_minute=100, monthly_tokens=150))
        for replica in (one, two):
            (await replica.enter(spent)).settle(50, 0)
        await until_used(two, spent, 100)
        assert "100 tokens per minute" in (await one.refused(spent)).message
        budget = caller(team=policy(monthly_tokens=100))
        for replica in (one, two):
            error = await replica.refused(budget)
            assert error.code == "insufficient_quota"
            assert replica.value("limit_rejections_total", scope="team", limit="budget") == 1
        usage = await two.standing(budget, "monthly_tokens")
        assert usage == {"team": {"limit": 100, "remaining": 0, "used": 100, "reserved": 0, "month": this_month()}}


async def test_only_as_many_get_in_at_once_as_may(server: Server) -> None:
    async with sharing(server) as one, sharing(server) as two:
        who = caller(key=policy(requests_per_minute=100, concurrent_requests=7))
        answers = await asyncio.gather(
            *(replica.enter(who) for replica in (one, two) for _ in range(20)), return_exceptions=True
        )
        assert sum(isinstance(answer, Grant) for answer in answers) == 7


@pytest.mark.parametrize("limit", ["requests_per_minute", "tokens_per_minute", "concurrent_requests", "monthly_tokens"])
async def test_what_one_policy_refuses_is_not_charged_to_the_other(server: Server, limit: str) -> None:
    async with sharing(server) as replica:
        key = policy(requests_per_minute=5, concurrent_requests=5)
        who = caller(key=key, team=policy(**{limit: 1}))
        grant = await replica.enter(who)
        if "tokens" in limit:
            grant.settle(1, 0)
            await until_running(replica, who, 0)
        before = await replica.usage(caller(key=key))
        for _ in range(9):
            assert "team 'red'" in (await replica.refused(who)).message
        after = await replica.usage(caller(key=key))
        for usage in (before, after):
            del usage["limits"][0]["requests_per_minute"]["reset_seconds"]
        assert before == after


async def test_all_keys_have_the_prefix_and_end_by_themselves(server: Server) -> None:
    async with sharing(server) as replica:
        limits = {"requests_per_minute": 9, "tokens_per_minute": 100, "concurrent_requests": 2, "monthly_cost": 5}
        who = caller(key=policy(**limits))
        (await replica.enter(who, 40, 7)).settle(30, 5)
        await until_running(replica, who, 0)
        await replica.enter(who, 40, 7)
        client = client_of(server)
        keys = await client.keys("*")
        assert sorted(keys) == [
            b"ray-vllm-gateway:counts/key/ann",
            b"ray-vllm-gateway:leases/key/ann",
            f"ray-vllm-gateway:month/key/ann/{this_month()}".encode(),
        ]
        assert all([await client.ttl(key) > 30 for key in keys])
        await client.aclose()


async def test_redis_keeps_a_months_count_for_longer_than_the_month(server: Server) -> None:
    async with sharing(server) as replica:
        who = caller(team=policy(monthly_tokens=10))
        (await replica.enter(who)).settle(3, 0)
        await until_used(replica, who, 3)
        client = client_of(server)
        assert await client.ttl(f"ray-vllm-gateway:month/team/red/{this_month()}") > 31 * 86400
        await client.aclose()


async def test_the_requests_of_a_replica_that_died_end_by_themselves(server: Server) -> None:
    who = caller(key=policy(concurrent_requests=1))
    client = client_of(server)
    key = "ray-vllm-gateway:leases/key/ann"
    async with sharing(server) as survivor:
        async with sharing(server) as dies:
            await dies.enter(who)
        await survivor.refused(who)
        (lease,) = await client.zrange(key, 0, -1)
        assert LEASE_SECONDS <= await client.ttl(key) <= 180
        till = await client.zscore(key, lease) or 0
        assert 30 <= till - time.time() <= LEASE_SECONDS + 1
        await client.zincrby(key, -LEASE_SECONDS, lease)
        await survivor.enter(who)
        await survivor.refused(who)
    await client.aclose()


async def test_long_requests_keep_their_leases(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serve_app.gateway.access.shared_store._RENEW_SECONDS", 0.05)
    who = caller(key=policy(concurrent_requests=3))
    client = client_of(server)
    key = "ray-vllm-gateway:leases/key/ann"
    async with sharing(server) as replica:
        grants = [await replica.enter(who) for _ in range(2)]
        for lease in await client.zrange(key, 0, -1):
            await client.zincrby(key, -LEASE_SECONDS + 10, lease)

        async def are_renewed() -> bool:
            leases = await client.zrange(key, 0, -1, withscores=True)
            return len(leases) == 2 and all(till > time.time() + 30 for _, till in leases)

        await eventually(are_renewed)
        for grant in grants:
            grant.settle(0, 0)
        await until_running(replica, who, 0)
        await asyncio.sleep(0.2)
        assert await running(replica, who) == 0, "what has ended is not renewed"
    await client.aclose()


async def test_a_client_that_leaves_meanwhile_holds_no_place(server: Server) -> None:
    async with sharing(server) as replica:
        who = caller(key=policy(concurrent_requests=1))
        for seconds in (0, 0.05):
            server.freeze()
            entering = asyncio.create_task(replica.enter(who))
            await asyncio.sleep(seconds)  # 0: not sent yet
            entering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await entering
            server.thaw()
            await until_running(replica, who, 0)
            (await replica.enter(who)).settle(0, 0)
            await until_running(replica, who, 0)
        assert replica.value("limit_store_errors_total") == 0


async def test_what_is_asked_at_once_travels_at_once_and_in_order() -> None:
    server = FakeServer()
    pool = server.pool()
    client: Any = BatchingRedis(pool)
    await client.ping()
    before = server.pipelines
    assert await asyncio.gather(*(client.incr("x") for _ in range(50))) == list(range(1, 51))
    assert server.pipelines == before + 1
    server.freeze()
    first = asyncio.create_task(client.incr("x"))
    await until(lambda: server.pipelines == before + 2)
    more = [asyncio.create_task(client.incr("x")) for _ in range(3)]
    await asyncio.sleep(0)
    more[1].cancel()
    server.thaw()
    assert [await first, await more[0], await more[2]] == [51, 52, 53], "what nobody waits for is not sent"
    assert server.pipelines == before + 3
    with pytest.raises(Exception, match="value is not an integer"):
        await asyncio.gather(client.set("y", "text"), client.incr("y"))
    await pool.aclose()


async def test_an_idle_replica_says_too_that_redis_is_lost(server: Server) -> None:
    async with sharing(server) as replica:
        await until(lambda: replica.value("limits_shared") == 1)
        await server.stop()
        await until(lambda: replica.value("limits_shared") == 0)
        await server.start()
        await until(lambda: replica.value("limits_shared") == 1)


async def test_one_replica_needs_no_redis(supervisor: Supervisor) -> None:
    async with opened(None, None, LimitMetrics(CollectorRegistry()), supervisor) as store:
        assert isinstance(store, ReplicaStore)
