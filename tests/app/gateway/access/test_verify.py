"""Which tokens are good; the bad ones are what attackers try."""

import base64
import hmac
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from serve_app.gateway.access.tokens import is_token
from serve_app.gateway.access.verify import LEEWAY_SECONDS
from serve_app.gateway.api.errors import ApiError

from .identity_provider import AUDIENCE, private_key, public_jwk
from .token_support import TokenChecks


def encoded(part: Any) -> bytes:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def signed_by_hand(header: Any, claims: Any, sign: Callable[[bytes], bytes]) -> bytes:
    """A token that no library would make."""
    body = encoded(header) + b"." + encoded(claims)
    return body + b"." + encoded(sign(body))


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"])
async def test_a_good_token(checks: TokenChecks, algorithm: str) -> None:
    checks.provider.keys = [public_jwk("k1", algorithm)]
    caller = await checks.tokens.check(checks.provider.token(algorithm=algorithm))
    assert (caller.key, caller.team, caller.subject, caller.policies, caller.priority) == (
        "oidc",
        "",
        "ann",
        (),
        "normal",
    )
    assert checks.counted() == {"ok": 1}


async def test_one_of_many_audiences(checks: TokenChecks) -> None:
    assert await checks.tokens.check(checks.provider.token(aud=["mail", AUDIENCE]))


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
async def test_a_bad_token(checks: TokenChecks, more: dict[str, Any], result: str, says: str) -> None:
    await checks.refused(checks.provider.token(**more), result, says)


async def test_clocks_may_differ_a_little(checks: TokenChecks) -> None:
    now = int(time.time())
    assert await checks.tokens.check(checks.provider.token(exp=now - LEEWAY_SECONDS + 10))
    assert await checks.tokens.check(checks.provider.token(nbf=now + LEEWAY_SECONDS - 10))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 5, ["RS256"], "HS256", "ES256K"])
@pytest.mark.parametrize("signature", [b"", b"x"])
async def test_no_signature(checks: TokenChecks, algorithm: Any, signature: bytes) -> None:
    token = signed_by_hand({"alg": algorithm, "kid": "k1"}, checks.provider.claims(), lambda _: signature)
    assert is_token(token)
    await checks.refused(token, "algorithm", "of another kind than ES256, ES384, ES512, EdDSA, PS256,")


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
async def test_the_public_key_is_no_shared_secret(checks: TokenChecks, algorithm: str) -> None:
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
        await checks.refused(
            signed_by_hand(header, checks.provider.claims(), sign), "algorithm", "of another kind than"
        )


async def test_a_shared_secret_among_the_issuers_keys_opens_nothing(checks: TokenChecks) -> None:
    secret = b"shared-secret-shared-secret-shared-secret"
    checks.provider.keys = [
        {"kty": "oct", "kid": "k1", "k": encoded(secret).decode(), "alg": "HS256"},
        public_jwk("k2"),
    ]
    await checks.refused(checks.provider.token(algorithm="HS256", key=secret), "algorithm", "of another kind than")


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")  # of the test's own signing
async def test_a_key_that_is_too_short(checks: TokenChecks) -> None:
    checks.provider.keys = [public_jwk("k1", bits=1024)]
    token = checks.provider.token(key=private_key("k1", "RS256", 1024))
    await checks.refused(token, "malformed", "is not a valid JSON web token")


async def test_changed_tokens_are_refused_and_never_break_anything(checks: TokenChecks) -> None:
    token = checks.provider.token(groups=["blue"])
    await checks.tokens.check(token)
    chance = random.Random(0)  # noqa: S311
    for _ in range(300):
        changed = bytearray(token)
        for _ in range(chance.choice((1, 1, 3))):
            changed[chance.randrange(len(changed))] = chance.choice(b"AZaz09-_.")
        changed = changed[: chance.choice((len(changed), len(changed), chance.randrange(len(changed))))]
        if bytes(changed) == token:
            continue
        with pytest.raises(ApiError) as error:
            await checks.tokens.check(bytes(changed))
        assert error.value.status == 401
    assert "ok" in checks.counted()
    assert checks.counted()["ok"] == 1


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
async def test_no_token_at_all(checks: TokenChecks, parts: tuple[bytes, bytes]) -> None:
    with pytest.raises(ApiError) as error:
        await checks.tokens.check(encoded(parts[0]) + b"." + encoded(parts[1]) + b".c2ln")
    assert error.value.status == 401
    assert checks.provider.fetches == 0, "others' tokens lead to no requests"
