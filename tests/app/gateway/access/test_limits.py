"""What callers get to see of limits, with the counts in memory."""

import calendar
import math

import pytest

from serve_app.gateway.access.limits import NO_GRANT
from serve_app.gateway.exchange.caller import ANYBODY, Caller

from .limit_support import Clock, Replica, caller, headers_of, policy


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.in_place(monkeypatch)


@pytest.fixture
def replica() -> Replica:
    return Replica.alone()


async def test_callers_without_limits_cost_nothing(replica: Replica) -> None:
    for who in (ANYBODY, caller(key=policy()), Caller(policies=(("team/red", policy()), ("key/ann", policy())))):
        grant = await replica.enter(who)
        assert grant is NO_GRANT
        assert grant.headers == []
        grant.settle(10**9, 0)


@pytest.mark.parametrize("second", [0, 29.5, 59.999])
async def test_requests_per_minute(replica: Replica, clock: Clock, second: float) -> None:
    clock.now += second
    who = caller(key=policy(requests_per_minute=3))
    for left in ("2", "1", "0"):
        grant = await replica.enter(who)
        assert headers_of(grant)["x-ratelimit-remaining-requests"] == left
        grant.settle(0, 0)
    error = await replica.refused(who)
    wait = int(headers_of(error)["retry-after"])
    assert error.code == "rate_limit_exceeded"
    assert error.message == f"The key 'ann' has reached its limit of 3 requests per minute, try again in {wait} s."
    clock.now += wait - 1.01
    await replica.refused(who)
    clock.now += 1.01
    await replica.enter(who)


async def test_tokens_are_charged_when_the_answer_has_ended(replica: Replica, clock: Clock) -> None:
    who = caller(team=policy(tokens_per_minute=100))
    first, second = await replica.enter(who), await replica.enter(who)
    first.settle(99, 0)
    (await replica.enter(who)).settle(0, 0)
    second.settle(401, 0)
    error = await replica.refused(who)
    assert (error.code, error.message.split(",")[0]) == (
        "rate_limit_exceeded",
        "The team 'red' has reached its limit of 100 tokens per minute",
    )
    wait = int(headers_of(error)["retry-after"])
    assert wait == 60 + math.ceil(60 * 0.8 + 0.001), "500 tokens fade to 100 in four fifths of the next minute"
    clock.now += wait - 1.01
    await replica.refused(who)
    clock.now += 1.01
    await replica.enter(who)


async def test_concurrent_requests(replica: Replica) -> None:
    who = caller(key=policy(concurrent_requests=2))
    first, _ = await replica.enter(who), await replica.enter(who)
    error = await replica.refused(who)
    assert error.code == "rate_limit_exceeded"
    assert error.message == "The key 'ann' has 2 requests running, which is its limit, try again when one has ended."
    assert headers_of(error) == {"retry-after": "1"}
    first.settle(0, 0)
    await replica.enter(who)
    await replica.refused(who)


async def test_a_months_budget(replica: Replica, clock: Clock) -> None:
    who = caller(key=policy(requests_per_minute=9), team=policy(monthly_tokens=1000))
    (await replica.enter(who)).settle(999, 0)
    (await replica.enter(who)).settle(50, 0)
    error = await replica.refused(who)
    assert error.code == "insufficient_quota"
    assert error.message == (
        "The team 'red' has used up its 1000 tokens of this month, the next begins on 2026-03-01 (UTC)."
    )
    headers = headers_of(error)
    assert (headers["retry-after"], headers["x-should-retry"]) == (str(36 * 3600), "false")
    clock.now += 36 * 3600 - 1
    assert headers_of(await replica.refused(who))["retry-after"] == "1"
    clock.now += 1
    await replica.enter(who)


async def test_the_last_month_of_a_year_ends_too(replica: Replica, clock: Clock) -> None:
    clock.now = calendar.timegm((2027, 12, 31, 23, 59, 50))
    who = caller(key=policy(monthly_tokens=1))
    (await replica.enter(who)).settle(1, 0)
    error = await replica.refused(who)
    assert "2028-01-01" in error.message
    assert headers_of(error)["retry-after"] == "10"


async def test_what_one_policy_refuses_is_not_charged_to_the_other(replica: Replica) -> None:
    key = policy(requests_per_minute=5, concurrent_requests=5)
    who = caller(key=key, team=policy(concurrent_requests=1))
    running = await replica.enter(who)
    for _ in range(9):
        assert "team 'red'" in (await replica.refused(who)).message
    assert (await replica.standing(who, "requests_per_minute"))["key"]["remaining"] == 4
    assert (await replica.standing(who, "concurrent_requests"))["key"]["running"] == 1
    running.settle(0, 0)
    await replica.enter(who)


async def test_the_limit_that_lasts_longest_is_told(replica: Replica, clock: Clock) -> None:
    key = policy(concurrent_requests=1, requests_per_minute=1)
    who = caller(key=key, team=policy(tokens_per_minute=10))
    (await replica.enter(who)).settle(1000, 0)
    error = await replica.refused(who)
    assert "10 tokens per minute" in error.message
    assert int(headers_of(error)["retry-after"]) > 90
    clock.now += 121
    await replica.enter(who)
    assert "1 requests per minute" in (await replica.refused(who)).message


async def test_headers_are_those_of_the_tightest_policies(replica: Replica, clock: Clock) -> None:
    key = policy(requests_per_minute=10, tokens_per_minute=10_000)
    who = caller(key=key, team=policy(requests_per_minute=20, tokens_per_minute=5000))
    (await replica.enter(who)).settle(1201, 0)
    assert headers_of(await replica.enter(who)) == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "8",
        "x-ratelimit-reset-requests": "2m0s",
        "x-ratelimit-limit-tokens": "5000",
        "x-ratelimit-remaining-tokens": "3799",
        "x-ratelimit-reset-tokens": "2m0s",
    }
    colleague = Caller(key="bob", team="red", policies=(("key/bob", key), who.policies[1]))
    clock.now += 100
    assert headers_of(await replica.enter(colleague)) == {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-reset-requests": "1m20s",
        "x-ratelimit-limit-tokens": "5000",
        "x-ratelimit-remaining-tokens": "4600",
        "x-ratelimit-reset-tokens": "20s",
    }


async def test_edited_policies_keep_the_counts(replica: Replica) -> None:
    before = caller(key=policy(requests_per_minute=2, concurrent_requests=2, tokens_per_minute=50))
    running = await replica.enter(before)
    (await replica.enter(before)).settle(40, 0)
    after = caller(key=policy(requests_per_minute=3, concurrent_requests=1, tokens_per_minute=50))
    assert "1 requests running" in (await replica.refused(after)).message
    running.settle(5, 0)
    grant = await replica.enter(after)
    assert headers_of(grant)["x-ratelimit-remaining-requests"] == "0"
    assert headers_of(grant)["x-ratelimit-remaining-tokens"] == "5"
    grant.settle(0, 0)
    await replica.refused(after)
    await replica.enter(caller(key=policy(requests_per_minute=4)))


async def test_a_limit_that_was_removed_meanwhile(replica: Replica) -> None:
    limited = caller(key=policy(concurrent_requests=1))
    running = await replica.enter(limited)
    assert await replica.enter(caller(key=policy())) is NO_GRANT
    running.settle(0, 0)
    await replica.enter(limited)


async def test_refusals_are_counted_by_whose_and_which(replica: Replica) -> None:
    for scope in ("key", "team", "subject"):
        for limit in ("requests", "tokens", "concurrent", "budget", "cost"):
            assert replica.value("limit_rejections_total", scope=scope, limit=limit) == 0
    assert replica.value("limits_shared") == 0
    assert replica.value("limit_store_errors_total") == 0
    person = Caller(key="oidc", policies=(("subject/a/b", policy(concurrent_requests=1)),))
    await replica.enter(person)
    assert "The subject 'a/b'" in (await replica.refused(person)).message
    team = caller(key=policy(requests_per_minute=100), team=policy(monthly_tokens=1))
    (await replica.enter(team)).settle(1, 0)
    for _ in range(3):
        await replica.refused(team)
    assert replica.value("limit_rejections_total", scope="subject", limit="concurrent") == 1
    assert replica.value("limit_rejections_total", scope="team", limit="budget") == 3
    assert replica.value("limit_rejections_total", scope="key", limit="requests") == 0


async def test_usage(replica: Replica, clock: Clock) -> None:
    limits = {"requests_per_minute": 10, "tokens_per_minute": 100, "concurrent_requests": 2, "monthly_tokens": 1000}
    who = caller(key=policy(**limits), team=policy(concurrent_requests=5))
    (await replica.enter(who)).settle(30, 0)
    await replica.enter(who)
    for _ in range(2):  # asking costs nothing
        assert await replica.usage(who) == {
            "shared": False,
            "limits": [
                {
                    "scope": "key",
                    "name": "ann",
                    "requests_per_minute": {"limit": 10, "remaining": 8, "reset_seconds": 120},
                    "tokens_per_minute": {"limit": 100, "remaining": 70, "reserved": 0, "reset_seconds": 120},
                    "concurrent_requests": {"limit": 2, "running": 1},
                    "monthly_tokens": {"limit": 1000, "remaining": 970, "used": 30, "reserved": 0, "month": "2026-02"},
                },
                {"scope": "team", "name": "red", "concurrent_requests": {"limit": 5, "running": 1}},
            ],
        }
    assert await replica.usage(ANYBODY) == {"shared": False, "limits": []}
