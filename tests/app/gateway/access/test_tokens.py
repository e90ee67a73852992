"""Tokens against a real issuer: which are good, whom they are from, and how often that costs a signature."""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from prometheus_client import CollectorRegistry

from serve_app.gateway.access.auth import Authenticator
from serve_app.gateway.access.metrics import AccessMetrics, TokenResult
from serve_app.gateway.access.tokens import Tokens
from serve_app.gateway.access.verify import LEEWAY_SECONDS
from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.observe.metrics import Metrics
from serve_app.settings.gateway import Oidc, Team

from ..support import until
from .identity_provider import AUDIENCE, IdentityProvider, private_key, public_jwk

TEAMS = {"red": Team.model_validate({"priority": "high", "tokensPerMinute": 10, "models": ["a"]}), "blue": Team()}


class Desk:
    """Tokens of one issuer, with settings and teams that a test may change."""

    def __init__(self, provider: IdentityProvider, session: aiohttp.ClientSession, **more: Any) -> None:
        self.provider = provider
        self.settings: Oidc | None = None
        self.configure()
        self.teams: Mapping[str, Team] = TEAMS
        self.registry = CollectorRegistry()
        self.metrics = AccessMetrics(self.registry)
        self.tokens = Tokens(lambda: self.settings, lambda: self.teams, session, self.metrics, **more)

    def configure(self, **more: Any) -> None:
        fields = {"issuer": self.provider.issuer, "audience": AUDIENCE, "teamClaim": "groups", **more}
        self.settings = Oidc.model_validate(fields)

    def counted(self) -> dict[str, float]:
        found = {
            result: self.registry.get_sample_value("ray_vllm_gateway_tokens_checked_total", {"result": result})
            for result in TokenResult
        }
        assert None not in found.values(), "all are visible from the start"
        return {str(result): value for result, value in found.items() if value}

    async def refused(self, token: bytes, result: str, says: str) -> None:
        before = self.counted().get(result, 0)
        with pytest.raises(ApiError) as error:
            await self.tokens.check(token)
        assert (error.value.status, error.value.code) == (401, "invalid_token")
        assert error.value.headers == [(b"www-authenticate", b'Bearer error="invalid_token"')]
        assert says in error.value.message
        assert self.counted()[result] == before + 1


@pytest.fixture
async def desk(provider: IdentityProvider, session: aiohttp.ClientSession) -> Desk:
    return Desk(provider, session)


def encoded(part: Any) -> bytes:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def signed_by_hand(header: Any, claims: Any, sign: Callable[[bytes], bytes]) -> bytes:
    """A token that no library would make."""
    body = encoded(header) + b"." + encoded(claims)
    return body + b"." + encoded(sign(body))


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"])
async def test_a_good_token(desk: Desk, algorithm: str) -> None:
    desk.provider.keys = [public_jwk("k1", algorithm)]
    caller = await desk.tokens.check(desk.provider.token(algorithm=algorithm))
    assert (caller.key, caller.team, caller.subject, caller.policies, caller.priority) == (
        "oidc",
        "",
        "ann",
        (),
        "normal",
    )
    assert desk.counted() == {"ok": 1}


async def test_one_of_many_audiences(desk: Desk) -> None:
    assert await desk.tokens.check(desk.provider.token(aud=["mail", AUDIENCE]))


@pytest.mark.parametrize(
    ("more", "result", "says"),
    [
        ({"exp": time.time() - LEEWAY_SECONDS - 1}, "expired", "has expired, get a new one"),
        ({"nbf": time.time() + 3600}, "not_yet", "is not valid yet"),
        ({"iat": time.time() + 3600}, "not_yet", "is not valid yet"),
        ({"aud": "mail"}, "audience", f"is not for the audience {AUDIENCE}"),
        ({"aud": ["mail", AUDIENCE + "2"]}, "audience", "is not for the audience"),
        ({"aud": None}, "malformed", "lacks the claim aud"),
        ({"aud": 5}, "audience", "is not for the audience"),
        ({"exp": None}, "malformed", "lacks the claim exp"),
        ({"exp": "soon"}, "malformed", "is not a valid JSON web token"),
        ({"iss": "https://other.example"}, "issuer", "is not from the issuer http://127.0.0.1:"),
        ({"iss": None}, "issuer", "is not from the issuer"),
        ({"sub": ["ann"]}, "malformed", "is not a valid JSON web token"),
        ({"kid": "k2"}, "unknown_key", "with a key that its issuer does not have"),
        ({"kid": "k2", "headers": {"kid": "k1"}}, "signature", "signature is wrong"),
        ({"kid": "k2", "headers": {"kid": "k1", "jwk": public_jwk("k2")}}, "signature", "signature is wrong"),
        ({"algorithm": "RS512"}, "unknown_key", "with a key that its issuer does not have"),
        ({"headers": {"crit": ["b64"], "b64": False}}, "malformed", "is not a valid JSON web token"),
        ({"headers": {"crit": ["x"], "x": 1}}, "malformed", "is not a valid JSON web token"),
    ],
    ids=str,
)
async def test_a_bad_token(desk: Desk, more: dict[str, Any], result: str, says: str) -> None:
    await desk.refused(desk.provider.token(**more), result, says)


async def test_clocks_may_differ_a_little(desk: Desk) -> None:
    now = int(time.time())
    assert await desk.tokens.check(desk.provider.token(exp=now - LEEWAY_SECONDS + 10))
    assert await desk.tokens.check(desk.provider.token(nbf=now + LEEWAY_SECONDS - 10))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 5, ["RS256"], "HS256", "ES256K"])
@pytest.mark.parametrize("signature", [b"", b"x"])
async def test_no_signature(desk: Desk, algorithm: Any, signature: bytes) -> None:
    token = signed_by_hand({"alg": algorithm, "kid": "k1"}, desk.provider.claims(), lambda _: signature)
    assert desk.tokens.looks_like(token)
    await desk.refused(token, "algorithm", "of another kind than ES256, ES384, ES512, EdDSA, PS256,")


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
async def test_the_public_key_is_no_shared_secret(desk: Desk, algorithm: str) -> None:
    public = private_key("k1").public_key()
    for secret in (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(public_jwk("k1")).encode(),
        b"",
    ):

        def sign(body: bytes, secret: bytes = secret) -> bytes:
            return hmac.digest(secret, body, algorithm.replace("HS", "sha"))

        header = {"alg": algorithm, "kid": "k1", "typ": "JWT"}
        await desk.refused(signed_by_hand(header, desk.provider.claims(), sign), "algorithm", "of another kind than")


async def test_a_shared_secret_among_the_issuers_keys_opens_nothing(desk: Desk) -> None:
    secret = b"shared-secret-shared-secret-shared-secret"
    desk.provider.keys = [{"kty": "oct", "kid": "k1", "k": encoded(secret).decode(), "alg": "HS256"}, public_jwk("k2")]
    await desk.refused(desk.provider.token(algorithm="HS256", key=secret), "algorithm", "of another kind than")


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")  # of the test's own signing
async def test_a_key_that_is_too_short(desk: Desk) -> None:
    desk.provider.keys = [public_jwk("k1", bits=1024)]
    token = desk.provider.token(key=private_key("k1", "RS256", 1024))
    await desk.refused(token, "malformed", "is not a valid JSON web token")


async def test_changed_tokens_are_refused_and_never_break_anything(desk: Desk) -> None:
    token = desk.provider.token(groups=["blue"])
    await desk.tokens.check(token)
    chance = random.Random(0)  # noqa: S311
    for _ in range(300):
        changed = bytearray(token)
        for _ in range(chance.choice((1, 1, 3))):
            changed[chance.randrange(len(changed))] = chance.choice(b"AZaz09-_.")
        changed = changed[: chance.choice((len(changed), len(changed), chance.randrange(len(changed))))]
        if bytes(changed) == token:
            continue
        with pytest.raises(ApiError) as error:
            await desk.tokens.check(bytes(changed))
        assert error.value.status == 401
    assert "ok" in desk.counted()
    assert desk.counted()["ok"] == 1


@pytest.mark.parametrize(
    "parts",
    [
        (b"[]", b"{}"),
        (b"{}", b"[]"),
        (b"{}", b"{"),
        (b"\xff", b"\xff"),
        (b"[" * 5000, b"{}"),
        (b'{"alg": "RS256"}', b'{"a": ' * 5000),
        (b'{"alg": "RS256", "kid": 7}', b"{}"),
        (b"1", b"1"),
    ],
    ids=lambda parts: str(parts)[:40],
)
async def test_no_token_at_all(desk: Desk, parts: tuple[bytes, bytes]) -> None:
    with pytest.raises(ApiError) as error:
        await desk.tokens.check(encoded(parts[0]) + b"." + encoded(parts[1]) + b".c2ln")
    assert error.value.status == 401
    assert desk.provider.fetches == 0, "others' tokens lead to no requests"


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
    assert Tokens.looks_like(text) is is_one


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
async def test_the_team_of_a_token(desk: Desk, groups: Any, team: str) -> None:
    caller = await desk.tokens.check(desk.provider.token(groups=groups))
    assert caller.team == team
    assert caller.policies == (((f"team/{team}", TEAMS[team]),) if team else ())
    assert caller.priority == ("high" if team == "red" else "normal")
    assert caller.may_use("b") is (team != "red")


async def test_no_team_claim_no_team(desk: Desk) -> None:
    desk.configure(teamClaim="")
    assert (await desk.tokens.check(desk.provider.token(**{"": "red"}))).team == ""


async def test_a_team_may_be_required(desk: Desk) -> None:
    desk.configure(requireTeam=True)
    assert (await desk.tokens.check(desk.provider.token(groups="red"))).team == "red"
    with pytest.raises(ApiError, match=r"names no team that may use this gateway \(claim groups\)") as error:
        await desk.tokens.check(desk.provider.token(groups="staff"))
    assert (error.value.status, error.value.code) == (403, "unknown_team")
    assert desk.counted() == {"ok": 1, "team": 1}


async def test_the_name_for_logs(desk: Desk) -> None:
    desk.configure(nameClaim="email")
    assert (await desk.tokens.check(desk.provider.token(email="ann@x.example"))).subject == "ann@x.example"
    assert (await desk.tokens.check(desk.provider.token())).subject == ""
    assert len((await desk.tokens.check(desk.provider.token(email="a" * 9999))).subject) == 256


async def test_a_token_is_verified_once(desk: Desk) -> None:
    token = desk.provider.token()
    first = await desk.tokens.check(token)
    for _ in range(10):
        assert await desk.tokens.check(token) is first
    assert (desk.counted(), desk.provider.fetches) == ({"ok": 1}, 1)


async def test_a_remembered_token_expires(desk: Desk) -> None:
    token = desk.provider.token(exp=int(time.time()) - LEEWAY_SECONDS + 2)
    await desk.tokens.check(token)
    await desk.tokens.check(token)
    assert desk.counted() == {"ok": 1}
    await asyncio.sleep(2.1)
    await desk.refused(token, "expired", "has expired")


async def test_not_all_tokens_are_remembered(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    desk = Desk(provider, session, remembered=2)
    a, b, c = (provider.token(sub=name) for name in "abc")
    for token in (a, b, a, c, a):  # c takes the place of b, which was not used for longest
        await desk.tokens.check(token)
    assert desk.counted() == {"ok": 3}
    await desk.tokens.check(b)
    assert desk.counted() == {"ok": 4}


async def test_new_teams_hold_for_a_remembered_token(desk: Desk) -> None:
    token = desk.provider.token(groups=["green", "red"])
    assert (await desk.tokens.check(token)).team == "red"
    desk.teams = {**TEAMS, "green": Team()}
    assert (await desk.tokens.check(token)).team == "green"


async def test_new_settings_hold_for_a_remembered_token(desk: Desk) -> None:
    token = desk.provider.token()
    await desk.tokens.check(token)
    desk.configure()
    await desk.tokens.check(token)
    assert desk.counted() == {"ok": 1}, "equal settings are no new ones"
    desk.configure(audience="other")
    await desk.refused(token, "audience", "is not for the audience other")
    desk.settings = None
    assert not desk.tokens.asked_for


async def test_a_key_is_rotated(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    desk = Desk(provider, session, retry_seconds=0)
    old = provider.token()
    await desk.tokens.check(old)
    provider.keys = [public_jwk("k1"), public_jwk("k2")]
    await desk.tokens.check(provider.token(kid="k2"))
    await desk.tokens.check(old)
    provider.keys = [public_jwk("k2")]
    await desk.tokens.check(old)  # nobody has looked yet
    await desk.refused(provider.token(kid="made-up"), "unknown_key", "a key that its issuer does not have")
    await desk.refused(old, "unknown_key", "a key that its issuer does not have")


async def test_the_issuer_is_down(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    desk = Desk(provider, session, retry_seconds=0.1)
    provider.status = 503
    with pytest.raises(ApiError, match="issuer cannot be reached at the moment") as error:
        await desk.tokens.check(provider.token())
    assert (error.value.status, error.value.code) == (503, "issuer_unavailable")
    assert error.value.headers == [(b"retry-after", b"1")]
    tried = len(provider.paths)
    with pytest.raises(ApiError):
        await desk.tokens.check(provider.token())
    assert len(provider.paths) == tried, "it is not asked again at once"
    provider.status = 200
    await asyncio.sleep(0.11)
    await desk.tokens.check(provider.token())
    provider.status = 503
    await asyncio.sleep(0.11)
    await desk.tokens.check(provider.token(sub="bob"))
    await desk.refused(provider.token(kid="k2"), "unknown_key", "a key that its issuer does not have")
    assert desk.counted() == {"ok": 2, "no_keys": 2, "unknown_key": 1}


async def test_keys_are_followed_without_requests(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    desk = Desk(provider, session, refresh_seconds=0.01, retry_seconds=0.01)
    provider.status = 500
    following = asyncio.create_task(desk.tokens.follow_issuer())
    await until(lambda: len(provider.paths) > 2)
    provider.status = 200
    await until(lambda: provider.fetches > 1)
    provider.keys = [public_jwk("k2")]
    fetches = provider.fetches
    await until(lambda: provider.fetches > fetches + 1)
    following.cancel()
    fetches = provider.fetches
    await desk.tokens.check(provider.token(kid="k2"))
    assert provider.fetches == fetches


async def test_connected_tokens_fetch_keys_at_once_and_stop_at_the_end(provider: IdentityProvider) -> None:
    settings = Oidc.model_validate({"issuer": provider.issuer, "audience": AUDIENCE})
    async with Tokens.connected(lambda: settings, dict, AccessMetrics(CollectorRegistry())) as tokens:
        await until(lambda: provider.fetches == 1)
        assert await tokens.check(provider.token())
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if "follow_issuer" in repr(task.get_coro())] == []


async def test_tokens_beside_no_keys(desk: Desk) -> None:
    metrics = Metrics()
    authenticator = Authenticator(None, desk.tokens, lambda: desk.teams, metrics)
    token = desk.provider.token(groups="red")
    for headers in ({b"authorization": b"Bearer " + token}, {b"x-api-key": token}):
        caller = await authenticator.check(headers)
        assert replace(caller, policies=()) == replace(caller, key="oidc", team="red", subject="ann", policies=())
    with pytest.raises(ApiError, match="There is no token in the request: send it in the header 'Authorization"):
        await authenticator.check({})
    with pytest.raises(ApiError, match="The token is not valid") as error:
        await authenticator.check({b"authorization": b"Bearer sk-1"})
    assert (error.value.status, error.value.code) == (401, "invalid_api_key")
    with pytest.raises(ApiError, match="has expired"):
        await authenticator.check({b"authorization": b"Bearer " + desk.provider.token(exp=1)})
    assert metrics.registry.get_sample_value("ray_vllm_gateway_auth_failures_total") == 3
    desk.settings = None
    assert (await authenticator.check({})).key == "", "no way in is asked for any more"


async def test_an_issuer_that_is_down_is_nobodys_failure(desk: Desk) -> None:
    metrics = Metrics()
    desk.provider.status = 503
    authenticator = Authenticator(None, desk.tokens, lambda: desk.teams, metrics)
    with pytest.raises(ApiError) as error:
        await authenticator.check({b"authorization": b"Bearer " + desk.provider.token()})
    assert error.value.status == 503
    assert metrics.registry.get_sample_value("ray_vllm_gateway_auth_failures_total") == 0


async def test_no_token_is_kept(desk: Desk) -> None:
    token = desk.provider.token()
    await desk.tokens.check(token)
    held = repr(vars(desk.tokens)).encode()
    assert token not in held
    assert hashlib.sha256(token).digest() in desk.tokens._verified
