"""Whom a token is from, and how often that costs a signature."""

import asyncio
import hashlib
import time
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.access.auth import Authenticator
from serve_app.gateway.access.metrics import AccessMetrics, AuthFailure
from serve_app.gateway.access.tokens import Tokens, is_token
from serve_app.gateway.access.verify import LEEWAY_SECONDS
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.settings.gateway import Oidc, Team

from ..support import until
from .identity_provider import AUDIENCE, IdentityProvider, public_jwk
from .token_support import TEAMS, TokenChecks


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (b"eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", True),
        (b"eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln_-", True),
        (b"eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ", False),
        (b"eyJhbGciOiJSUzI1NiJ9.a.b.c.d", False),
        (b"eyJ.a.b\n", False),
        (b"sk-eyJ.a.b", False),
        (b"sk-0123456789", False),
        (b"", False),
    ],
)
def test_the_shape_of_a_token(text: bytes, is_one: bool) -> None:
    assert is_token(text) is is_one


@pytest.mark.parametrize(
    ("groups", "team"),
    [
        ("red", "red"),
        (["staff", "red", "blue"], "red"),
        (["blue", "red"], "blue"),
        (["staff", 7, None], ""),
        (None, ""),
    ],
)
async def test_the_team_of_a_token(checks: TokenChecks, groups: Any, team: str) -> None:
    caller = await checks.tokens.check(checks.provider.token(groups=groups))
    assert caller.team == team
    assert caller.policies == (((f"team/{team}", TEAMS[team]),) if team else ())
    assert caller.priority == ("high" if team == "red" else "normal")
    assert caller.may_use("b") is (team != "red")


async def test_no_team_claim_no_team(checks: TokenChecks) -> None:
    checks.configure(teamClaim="")
    assert (await checks.tokens.check(checks.provider.token(**{"": "red"}))).team == ""


async def test_a_team_may_be_required(checks: TokenChecks) -> None:
    checks.configure(requireTeam=True)
    assert (await checks.tokens.check(checks.provider.token(groups="red"))).team == "red"
    with pytest.raises(ApiError, match=r"names no team that may use this gateway \(claim groups\)") as error:
        await checks.tokens.check(checks.provider.token(groups="staff"))
    assert (error.value.status, error.value.code) == (403, "unknown_team")
    assert checks.counted() == {"ok": 1, "team": 1}


async def test_the_name_for_logs(checks: TokenChecks) -> None:
    checks.configure(nameClaim="email")
    assert (await checks.tokens.check(checks.provider.token(email="ann@x.example"))).subject == "ann@x.example"
    assert (await checks.tokens.check(checks.provider.token())).subject == ""
    assert len((await checks.tokens.check(checks.provider.token(email="a" * 9999))).subject) == 256


async def test_a_token_is_verified_once(checks: TokenChecks) -> None:
    token = checks.provider.token()
    first = await checks.tokens.check(token)
    for _ in range(10):
        assert await checks.tokens.check(token) is first
    assert (checks.counted(), checks.provider.fetches) == ({"ok": 1}, 1)


async def test_a_remembered_token_expires(checks: TokenChecks) -> None:
    token = checks.provider.token(exp=int(time.time()) - LEEWAY_SECONDS + 2)
    await checks.tokens.check(token)
    await checks.tokens.check(token)
    assert checks.counted() == {"ok": 1}
    await asyncio.sleep(2.1)
    await checks.refused(token, "expired", "has expired")


async def test_not_all_tokens_are_remembered(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    checks = TokenChecks(provider, session, remembered=2)
    a, b, c = (provider.token(sub=name) for name in "abc")
    for token in (a, b, a, c, a):  # c takes the place of b, which was not used for longest
        await checks.tokens.check(token)
    assert checks.counted() == {"ok": 3}
    await checks.tokens.check(b)
    assert checks.counted() == {"ok": 4}


async def test_new_teams_hold_for_a_remembered_token(checks: TokenChecks) -> None:
    token = checks.provider.token(groups=["green", "red"])
    assert (await checks.tokens.check(token)).team == "red"
    checks.teams = {**TEAMS, "green": Team()}
    assert (await checks.tokens.check(token)).team == "green"


async def test_new_settings_hold_for_a_remembered_token(checks: TokenChecks) -> None:
    token = checks.provider.token()
    await checks.tokens.check(token)
    checks.configure()
    await checks.tokens.check(token)
    assert checks.counted() == {"ok": 1}, "equal settings are no new ones"
    checks.configure(audience="other")
    await checks.refused(token, "audience", "is not for the audience other")
    checks.settings = None
    assert not checks.tokens.configured


async def test_a_key_is_rotated(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    checks = TokenChecks(provider, session, retry_seconds=0)
    old = provider.token()
    await checks.tokens.check(old)
    provider.keys = [public_jwk("k1"), public_jwk("k2")]
    await checks.tokens.check(provider.token(kid="k2"))
    await checks.tokens.check(old)
    provider.keys = [public_jwk("k2")]
    await checks.tokens.check(old)  # nobody has looked yet
    await checks.refused(provider.token(kid="made-up"), "unknown_key", "a key that its issuer does not have")
    await checks.refused(old, "unknown_key", "a key that its issuer does not have")


async def test_the_issuer_is_down(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    checks = TokenChecks(provider, session, retry_seconds=0.1)
    provider.status = 503
    with pytest.raises(ApiError, match="issuer cannot be reached at the moment") as error:
        await checks.tokens.check(provider.token())
    assert (error.value.status, error.value.code) == (503, "issuer_unavailable")
    assert error.value.headers == [(b"retry-after", b"1")]
    tried = len(provider.paths)
    with pytest.raises(ApiError):
        await checks.tokens.check(provider.token())
    assert len(provider.paths) == tried, "it is not asked again at once"
    provider.status = 200
    await asyncio.sleep(0.11)
    await checks.tokens.check(provider.token())
    provider.status = 503
    await asyncio.sleep(0.11)
    await checks.tokens.check(provider.token(sub="bob"))
    await checks.refused(provider.token(kid="k2"), "unknown_key", "a key that its issuer does not have")
    assert checks.counted() == {"ok": 2, "no_keys": 2, "unknown_key": 1}


async def test_keys_are_followed_without_requests(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    checks = TokenChecks(provider, session, refresh_seconds=0.01, retry_seconds=0.01)
    provider.status = 500
    following = asyncio.create_task(checks.tokens.follow_issuer())
    await until(lambda: len(provider.paths) > 2)
    provider.status = 200
    await until(lambda: provider.fetches > 1)
    provider.keys = [public_jwk("k2")]
    fetches = provider.fetches
    await until(lambda: provider.fetches > fetches + 1)
    following.cancel()
    fetches = provider.fetches
    await checks.tokens.check(provider.token(kid="k2"))
    assert provider.fetches == fetches


async def test_connected_tokens_fetch_keys_at_once_and_stop_at_the_end(provider: IdentityProvider) -> None:
    settings = Oidc.model_validate({"issuer": provider.issuer, "audience": AUDIENCE})
    registry = CollectorRegistry()
    async with (
        Supervisor.running(registry) as supervisor,
        Tokens.connected(lambda: settings, dict, AccessMetrics(registry), supervisor) as tokens,
    ):
        await until(lambda: provider.fetches == 1)
        assert await tokens.check(provider.token())
    assert [task for task in asyncio.all_tasks() if "_forever" in repr(task.get_coro())] == []


async def test_tokens_beside_no_keys(checks: TokenChecks) -> None:
    authenticator = Authenticator(None, checks.tokens, lambda: checks.teams, checks.metrics)
    token = checks.provider.token(groups="red")
    for headers in ({b"authorization": b"Bearer " + token}, {b"x-api-key": token}, {b"api-key": token}):
        caller = await authenticator.check(headers)
        assert replace(caller, policies=()) == replace(caller, key="oidc", team="red", subject="ann", policies=())
    with pytest.raises(ApiError, match="There is no token in the request: send it in the header 'Authorization"):
        await authenticator.check({})
    with pytest.raises(ApiError, match="The token is not valid") as error:
        await authenticator.check({b"authorization": b"Bearer sk-1"})
    assert (error.value.status, error.value.code) == (401, "invalid_api_key")
    with pytest.raises(ApiError, match="has expired"):
        await authenticator.check({b"authorization": b"Bearer " + checks.provider.token(exp=1)})
    failures = {reason: checks.failures(reason) for reason in AuthFailure}
    assert failures == {"missing": 1, "invalid": 1, "expired": 0, "token": 1}
    checks.settings = None
    assert (await authenticator.check({})).key == "", "no way in is asked for any more"


async def test_an_issuer_that_is_down_is_nobodys_failure(checks: TokenChecks) -> None:
    checks.provider.status = 503
    authenticator = Authenticator(None, checks.tokens, lambda: checks.teams, checks.metrics)
    with pytest.raises(ApiError) as error:
        await authenticator.check({b"authorization": b"Bearer " + checks.provider.token()})
    assert error.value.status == 503
    assert [checks.failures(reason) for reason in AuthFailure] == [0, 0, 0, 0]


async def test_no_token_is_kept(checks: TokenChecks) -> None:
    token = checks.provider.token()
    await checks.tokens.check(token)
    held = repr(vars(checks.tokens)).encode()
    assert token not in held
    assert hashlib.sha256(token).digest() in checks.tokens._verified
