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

from serve_app.gateway.access.verify import LEEWAY_SECONDS
from serve_app.gateway.api.errors import ApiError

from .desk import Desk
from .identity_provider import AUDIENCE, private_key, public_jwk


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
