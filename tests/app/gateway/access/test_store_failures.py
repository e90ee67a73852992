"""What becomes of shared limits when Redis fails."""

import asyncio
import logging
import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.store import opened
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.gateway.exchange.caller import Caller
from serve_app.settings.gateway import Redis

from ..support import until
from .limit_support import (
    TIMEOUT,
    FakeServer,
    RealServer,
    Replica,
    Server,
    caller,
    headers_of,
    needs_a_server,
    policy,
    running,
    sharing,
    until_running,
    until_used,
)


async def test_without_redis_each_replica_has_its_own_limits_for_a_while(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    who = caller(key=policy(requests_per_minute=2, concurrent_requests=2), team=policy(monthly_tokens=1000))
    async with sharing(server) as one, sharing(server) as two:
        (await one.enter(who)).settle(600, 0)
        await until_used(one, who, 600)
        held = await one.enter(who)
        stays = Caller(policies=(("key/long", policy(concurrent_requests=1)),))
        await one.enter(stays)
        await server.stop()
        grants = [await one.enter(who), await two.enter(who), await two.enter(who)]
        for replica in (one, two):
            await replica.refused(who)
            assert replica.value("limits_shared") == 0
            assert (replica.value("limit_store_errors_total") or 0) >= 1
            assert (await replica.usage(who))["shared"] is False
        assert "2 requests running" in (await one.refused(caller(key=policy(concurrent_requests=2)))).message
        for grant in (held, *grants[:2]):
            grant.settle(250, 0)
        budget = caller(team=policy(monthly_tokens=1000))
        assert (await one.refused(budget)).code == "insufficient_quota", "600 of before, and 500 of meanwhile"
        assert len([record for record in caplog.records if "Redis failed" in record.message]) == 2

        await server.start()
        await until(lambda: one.value("limits_shared") == two.value("limits_shared") == 1)
        used = await two.standing(who, "monthly_tokens")
        kept = 600 if isinstance(server, FakeServer) else 0  # a process forgets
        assert used["team"]["used"] == kept + 750
        for runs in (who, stays):
            assert await running(one, runs) == await running(two, runs) == 1, "what still runs counts for all"
        grants[2].settle(0, 0)
        await until_running(one, who, 0)
        assert len([record for record in caplog.records if "shared through Redis" in record.message]) == 4


async def test_a_redis_that_does_not_answer_holds_one_request_up_to_the_time_out(server: Server) -> None:
    who = caller(key=policy(requests_per_minute=100))
    async with sharing(server) as replica:
        await replica.enter(who)
        server.freeze()

        async def seconds_after(pause: float) -> float:
            await asyncio.sleep(pause)
            began = time.perf_counter()
            await replica.enter(who)
            return time.perf_counter() - began

        waited = await asyncio.gather(*map(seconds_after, (0, 0, TIMEOUT * 0.3)))
        assert max(waited) < TIMEOUT * 1.5, "also for those who wait behind others"
        assert waited[0] > TIMEOUT * 0.9
        began = time.perf_counter()
        for _ in range(50):
            (await replica.enter(who)).settle(10, 0)
        assert time.perf_counter() - began < TIMEOUT / 2, "nobody waits after that"
        assert replica.value("limits_shared") == 0
        server.thaw()
        await until(lambda: replica.value("limits_shared") == 1)
        assert int(headers_of(await replica.enter(who))["x-ratelimit-remaining-requests"]) < 100


async def test_a_gateway_starts_without_redis(server: Server) -> None:
    await server.stop()
    who = caller(key=policy(requests_per_minute=1))
    async with sharing(server) as replica:
        await replica.enter(who)
        await replica.refused(who)
        await server.start()
        await until(lambda: replica.value("limits_shared") == 1, seconds=5)
        await replica.enter(who)
        await replica.refused(who)


@needs_a_server
async def test_the_password_is_used_and_a_wrong_one_fails_no_request(supervisor: Supervisor, tmp_path: Path) -> None:
    server = RealServer(tmp_path)
    await server.start("--requirepass", "secret")
    config = Redis.model_validate({"url": f"redis://127.0.0.1:{server.port}/3"})
    for password, shared in (("secret", True), ("wrong", False), (None, False)):
        registry = CollectorRegistry()
        metrics = LimitMetrics(registry)
        async with opened(config, password, metrics, supervisor) as store:
            gateway = Replica(store, registry, metrics)
            await gateway.enter(caller(key=policy(requests_per_minute=10)))
            assert gateway.value("limits_shared") == shared
    await server.stop()
