"""Budgets hold when many requests come at once: they are passed by one request's estimate at most."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from serve_app.gateway.access.limits import Grant
from serve_app.gateway.access.months import this_month
from serve_app.gateway.access.redis_scripts import LEASE_SECONDS
from serve_app.gateway.access.rules import Rule
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.exchange.caller import Caller

from .limit_support import (
    Replica,
    Server,
    caller,
    client_of,
    headers_of,
    policy,
    sharing,
    until_running,
    until_used,
)

ESTIMATE, COST = 900, 1_350_000
"""Tokens, and their price in millionths."""
BUDGETS = [{"tokens_per_minute": 2000}, {"monthly_tokens": 2000}, {"monthly_cost": 3.0}]
"""Two requests fit in each, and one more passes it."""
FIT = 3


@contextlib.asynccontextmanager
async def three(server: Server) -> AsyncIterator[list[Replica]]:
    async with sharing(server) as one, sharing(server) as two, sharing(server) as other:
        yield [one, two, other]


async def asked(replicas: list[Replica], who: Caller, count: int, *, late_bodies: bool) -> list[Grant]:
    """Those of many requests at once that got in; the others were refused for what is reserved."""

    async def one(replica: Replica) -> Grant:
        grant = await replica.enter(who, *(() if late_bodies else (ESTIMATE, COST)))
        if late_bodies:
            await asyncio.sleep(0)
            await grant.reserve(ESTIMATE, COST)
        return grant

    requests = (one(replicas[number % len(replicas)]) for number in range(count))
    answers = await asyncio.gather(*requests, return_exceptions=True)
    for answer in answers:
        if not isinstance(answer, Grant):
            assert isinstance(answer, ApiError)
            assert (answer.status, answer.code, headers_of(answer)["retry-after"]) == (429, "rate_limit_exceeded", "1")
            assert "has running requests that may use up its " in answer.message
    return [answer for answer in answers if isinstance(answer, Grant)]


@pytest.mark.parametrize("late_bodies", [False, True])
@pytest.mark.parametrize("count", [20, 100])
@pytest.mark.parametrize("limits", BUDGETS, ids=lambda limits: next(iter(limits)))
async def test_one_replica(limits: dict[str, float], count: int, late_bodies: bool) -> None:
    who = caller(team=policy(**limits))
    assert len(await asked([Replica.alone()], who, count, late_bodies=late_bodies)) == FIT


@pytest.mark.parametrize("late_bodies", [False, True])
@pytest.mark.parametrize("count", [20, 100])
@pytest.mark.parametrize("limits", BUDGETS, ids=lambda limits: next(iter(limits)))
async def test_three_replicas(server: Server, limits: dict[str, float], count: int, late_bodies: bool) -> None:
    who = caller(team=policy(**limits))
    async with three(server) as replicas:
        grants = await asked(replicas, who, count, late_bodies=late_bodies)
        assert len(grants) == FIT
        for grant in grants:
            grant.settle(100, COST // 9)

        async def fits_again() -> int:
            return len(await asked(replicas, who, 1, late_bodies=late_bodies))

        async with asyncio.timeout(10):
            while not await fits_again():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert len(await asked(replicas, who, count, late_bodies=late_bodies)) <= FIT - 1


@pytest.mark.parametrize("limits", [{"tokens_per_minute": 900}, {"monthly_tokens": 900}, {"monthly_cost": 1.35}])
async def test_the_last_token_and_the_last_millionth_let_one_in(server: Server, limits: dict[str, float]) -> None:
    async with sharing(server) as replica:
        for left in (1, 0):
            who = Caller(policies=((f"team/{left}", policy(**limits)),))
            await replica.enter(who, ESTIMATE - left, COST - left)
            assert len(await asked([replica], who, 1, late_bodies=False)) == left
            (state,) = await replica.store.read([Rule.of(*who.policies[0])])
            assert state.reserved_tokens == ESTIMATE - left + left * ESTIMATE
            assert state.running == 1 + left


async def test_what_was_not_taken_is_free_again(server: Server) -> None:
    who = caller(team=policy(monthly_tokens=1000, monthly_cost=1))
    async with sharing(server) as replica:
        grant = await replica.enter(who, 1500, 2_000_000)
        assert await replica.standing(who, "monthly_tokens") == {
            "team": {"limit": 1000, "remaining": 0, "used": 0, "reserved": 1500, "month": this_month()}
        }
        grant.settle(100, 250_000)
        await until_used(replica, who, 100)
        assert await replica.standing(who, "monthly_cost") == {
            "team": {"limit": 1.0, "remaining": 0.75, "used": 0.25, "reserved": 0.0, "month": this_month()}
        }


async def test_a_request_that_cannot_reserve_was_never_there(server: Server) -> None:
    key = policy(requests_per_minute=5, concurrent_requests=5)
    who = caller(key=key, team=policy(tokens_per_minute=1000))
    async with sharing(server) as replica:
        first, second = await replica.enter(who), await replica.enter(who)
        await first.reserve(1000, 0)
        with pytest.raises(ApiError, match="may use up its 1000 tokens per minute") as error:
            await second.reserve(10, 0)
        assert headers_of(error.value)["x-ratelimit-remaining-tokens"] == "0"
        second.settle(10**6, 0)
        standing = await replica.usage(who)
        assert standing["limits"][0]["requests_per_minute"]["remaining"] == 4
        assert standing["limits"][0]["concurrent_requests"]["running"] == 1
        assert standing["limits"][1]["tokens_per_minute"]["reserved"] == 1000
        assert replica.value("limit_rejections_total", scope="team", limit="tokens") == 1
        first.settle(0, 0)
        await until_running(replica, who, 0)


async def test_a_second_reservation_takes_the_place_of_the_first(server: Server) -> None:
    who = caller(team=policy(monthly_tokens=1000))
    async with sharing(server) as replica:
        grant = await replica.enter(who, 500, 0)
        for tokens in (200, 700, 0):
            await grant.reserve(tokens, 0)
            assert (await replica.standing(who, "monthly_tokens"))["team"]["reserved"] == tokens


async def test_a_grant_is_settled_once(server: Server) -> None:
    who = caller(team=policy(monthly_tokens=1000))
    async with sharing(server) as replica:
        grant = await replica.enter(who, 500, 0)
        grant.settle(30, 0)
        grant.settle(30, 0)
        await until_used(replica, who, 30)
        await asyncio.sleep(0.05)
        await until_used(replica, who, 30)


async def test_the_reservations_of_a_replica_that_died_end_by_themselves(server: Server) -> None:
    who = caller(team=policy(monthly_tokens=1000))
    client = client_of(server)
    async with sharing(server) as survivor:
        async with sharing(server) as dies:
            await dies.enter(who, 5000, 0)
        await survivor.refused(who)
        (lease,) = await client.zrange("ray-vllm-gateway:leases/team/red", 0, -1)
        await client.zincrby("ray-vllm-gateway:leases/team/red", -LEASE_SECONDS, lease)
        await survivor.enter(who, 10, 0)
        assert (await survivor.standing(who, "monthly_tokens"))["team"]["reserved"] == 10
    await client.aclose()


async def test_a_request_whose_lease_expired_is_charged_all_the_same(server: Server) -> None:
    who = caller(team=policy(monthly_tokens=1000))
    client = client_of(server)
    async with sharing(server) as replica:
        grant = await replica.enter(who, 500, 0)
        (lease,) = await client.zrange("ray-vllm-gateway:leases/team/red", 0, -1)
        await client.zincrby("ray-vllm-gateway:leases/team/red", -LEASE_SECONDS, lease)
        assert (await replica.standing(who, "monthly_tokens"))["team"]["reserved"] == 0
        grant.settle(70, 0)
        await until_used(replica, who, 70)
    await client.aclose()


async def test_money_is_used_up() -> None:
    replica = Replica.alone()
    who = caller(key=policy(monthly_cost=0.5))
    (await replica.enter(who, 0, 100)).settle(0, 500_000)
    error = await replica.refused(who)
    assert error.code == "insufficient_quota"
    assert error.message.startswith(
        "The key 'ann' has used up its monthlyCost of 0.5 of this month, the next begins on "
    )
    assert headers_of(error)["x-should-retry"] == "false"
    assert replica.value("limit_rejections_total", scope="key", limit="cost") == 1


async def test_callers_that_reserve_nothing_ask_redis_once(server: Server) -> None:
    async with sharing(server) as replica:
        grant = await replica.enter(caller(key=policy(requests_per_minute=5)))
        await server.stop()
        await grant.reserve(1000, 1000)
        assert replica.value("limit_store_errors_total") == 0
