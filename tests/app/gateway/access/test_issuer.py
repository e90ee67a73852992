"""The issuer's keys: how they are found, which are taken, and what holds while the issuer is down."""

import asyncio
import logging
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.access.issuer import Issuer, IssuerError
from serve_app.gateway.access.metrics import AccessMetrics
from serve_app.settings.gateway import Oidc

from ..support import until
from .identity_provider import AUDIENCE, IdentityProvider, public_jwk


class Kept:
    """An issuer and its metrics."""

    def __init__(
        self, provider: IdentityProvider, session: aiohttp.ClientSession, retry: float = 60, **more: Any
    ) -> None:
        settings = Oidc.model_validate({"issuer": provider.issuer, "audience": AUDIENCE, **more})
        self.registry = CollectorRegistry()
        self.issuer = Issuer(settings, session, AccessMetrics(self.registry), retry)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"ray_vllm_gateway_issuer_{name}", labels)

    def fetches(self) -> tuple[float | None, float | None]:
        return self.value("fetches_total", result="ok"), self.value("fetches_total", result="failed")


async def test_keys_are_found_by_discovery(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    kept = Kept(provider, session)
    assert (await kept.issuer.key("k1", "RS256")) is kept.issuer.keys["k1", "RS256"]
    assert provider.paths == ["/realm/.well-known/openid-configuration", "/realm/jwks"]
    assert (kept.fetches(), kept.value("keys")) == ((1, 0), 1)


async def test_jwks_url_makes_discovery_needless(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    kept = Kept(provider, session, jwksUrl=f"{provider.issuer}/jwks")
    assert await kept.issuer.key("k1", "RS256")
    assert provider.paths == ["/realm/jwks"]


async def test_an_issuer_with_a_slash_at_its_end(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    provider.named = provider.issuer + "/"
    kept = Kept(provider, session, issuer=provider.issuer + "/")
    assert await kept.issuer.key("k1", "RS256")


@pytest.mark.parametrize(
    ("jwk", "algorithms"),
    [
        (public_jwk("k1"), {"RS256"}),
        (public_jwk("k1", alg=None), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (public_jwk("k1", alg="PS384"), {"PS384"}),
        (public_jwk("k1", "ES256", alg=None), {"ES256"}),
        (public_jwk("k1", "ES512"), {"ES512"}),
        (public_jwk("k1", "EdDSA", alg=None, use=None), {"EdDSA"}),
    ],
)
async def test_what_a_key_may_sign_with(
    provider: IdentityProvider, session: aiohttp.ClientSession, jwk: dict[str, Any], algorithms: set[str]
) -> None:
    provider.keys = [{name: value for name, value in jwk.items() if value is not None}]
    kept = Kept(provider, session)
    await kept.issuer.refresh()
    assert set(kept.issuer.keys) == {("k1", algorithm) for algorithm in algorithms}
    assert kept.value("keys") == 1


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "kid": "bad", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
        {"kty": "oct", "kid": "bad", "k": "c2VjcmV0", "alg": "HS256"},
        public_jwk("bad", use="enc"),
        public_jwk("bad", alg="RSA-OAEP"),
        public_jwk("bad", alg="HS256"),
        public_jwk("bad", alg="none"),
        public_jwk("bad", alg=["RS256"]),
        public_jwk("bad", kid=7),
        public_jwk("bad", kty="EC"),
        public_jwk("bad", n=5),
        {name: value for name, value in public_jwk("bad").items() if name != "n"},
        public_jwk("bad", "ES256", crv="P-384"),
        public_jwk("bad", "ES256", crv=["P-256"]),
        {"kty": ["RSA"], "kid": "bad"},
        {},
        "text",
        None,
    ],
    ids=lambda jwk: str(jwk)[:40],
)
async def test_a_key_of_no_use_is_left_out_alone(
    provider: IdentityProvider, session: aiohttp.ClientSession, jwk: Any
) -> None:
    provider.keys = [jwk, public_jwk("k1")]
    kept = Kept(provider, session)
    await kept.issuer.refresh()
    assert list(kept.issuer.keys) == [("k1", "RS256")]


async def test_a_header_without_key_id_means_the_only_key(
    provider: IdentityProvider, session: aiohttp.ClientSession
) -> None:
    provider.keys = [public_jwk("k1"), public_jwk("k2", "ES256")]
    kept = Kept(provider, session)
    found = await kept.issuer.key(None, "RS256")
    assert found
    assert found.key_id == "k1"
    provider.keys = [public_jwk("k1"), public_jwk("k3")]
    two = Kept(provider, session)
    assert await two.issuer.key(None, "RS256") is None


async def test_a_new_key_is_fetched_when_a_token_names_it(
    provider: IdentityProvider, session: aiohttp.ClientSession
) -> None:
    kept = Kept(provider, session, retry=0)
    await kept.issuer.key("k1", "RS256")
    before = kept.issuer.keys
    await kept.issuer.refresh()
    assert kept.issuer.keys is before, "they are the same"
    provider.keys = [public_jwk("k1"), public_jwk("k2")]
    assert await kept.issuer.key("k1", "RS256") is before["k1", "RS256"]
    assert provider.fetches == 2, "a known key needs no fetch"
    assert await kept.issuer.key("k2", "RS256")
    assert kept.issuer.keys is not before
    assert provider.fetches == 3


async def test_unknown_key_ids_are_no_lever(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    kept = Kept(provider, session)
    found = await asyncio.gather(*(kept.issuer.key(f"made-up-{number}", "RS256") for number in range(200)))
    assert set(found) == {None}
    assert provider.fetches == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"status": 503}, "503"),
        ({"named": "https://other.example"}, "is of the issuer 'https://other.example', write oidc.issuer exactly so"),
        ({"keys": []}, "has no key for signatures by one of ES256, "),
        ({"keys": [public_jwk("k1", use="enc")]}, "has no key for signatures by one of ES256, "),
        ({"keys": {"k1": public_jwk("k1")}}, "/jwks is no key set, correct jwksUrl"),
        ({"issuer": "http://127.0.0.1:1"}, "Cannot connect to host 127.0.0.1:1"),
        ({"issuer": "no URL"}, "InvalidUrlClientError: no%20URL/.well-known/openid-configuration"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_no_keys_at_all(
    provider: IdentityProvider,
    session: aiohttp.ClientSession,
    change: dict[str, Any],
    says: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, value in change.items():
        setattr(provider, name, value)
    kept = Kept(provider, session)
    with pytest.raises(IssuerError, match="could not be fetched"), caplog.at_level(logging.WARNING):
        await kept.issuer.key("k1", "RS256")
    assert kept.fetches() == (0, 1)
    (record,) = caplog.records
    assert "requests with tokens are refused" in record.getMessage()
    assert says in record.getMessage()


async def test_answers_that_are_no_keys(provider: IdentityProvider, session: aiohttp.ClientSession) -> None:
    kept = Kept(provider, session, jwksUrl=f"{provider.issuer}/elsewhere")
    with pytest.raises(IssuerError):
        await kept.issuer.key("k1", "RS256")
    assert provider.paths == ["/realm/elsewhere"]


async def test_the_keys_stay_while_the_issuer_is_down(
    provider: IdentityProvider, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Kept(provider, session, retry=0)
    await kept.issuer.refresh()
    provider.status = 500
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await kept.issuer.refresh()
    assert await kept.issuer.key("k1", "RS256")
    assert (kept.fetches(), kept.value("keys")) == ((1, 3), 1)
    (record,) = caplog.records
    assert "the old ones stay in use" in record.getMessage()
    provider.status, provider.keys = 200, [public_jwk("k2")]
    assert await kept.issuer.key("k2", "RS256")
    assert await kept.issuer.key("k1", "RS256") is None


async def test_a_requester_that_leaves_takes_nothing_with_it(
    provider: IdentityProvider, session: aiohttp.ClientSession
) -> None:
    provider.delay = asyncio.Event()
    kept = Kept(provider, session)
    leaving, staying = (asyncio.create_task(kept.issuer.key("k1", "RS256")) for _ in range(2))
    await until(lambda: bool(provider.paths))
    leaving.cancel()
    provider.delay.set()
    assert await staying
    assert leaving.cancelled()
