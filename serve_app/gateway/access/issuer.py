"""The keys with which an identity provider signs its tokens: discovered, fetched, and kept while it is down."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
from jwt import PyJWK

from serve_app.gateway.access.metrics import AccessMetrics
from serve_app.settings.gateway import Oidc

logger = logging.getLogger(__name__)

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = frozenset((*_RSA, "ES256", "ES384", "ES512", "EdDSA"))
"""Asymmetric ones only: with HS256 the public key, which everybody knows, could be taken for a shared secret."""
RETRY_SECONDS = 10
"""At least between two fetches, so that tokens with made-up key ids cause no requests to the issuer."""
LARGEST_DOCUMENT = 1024 * 1024
"""Bytes of a discovery document or a key set; real ones have a few thousand."""
MOST_KEYS = 100
_LONGEST_NAME = 500
_TIMEOUT = aiohttp.ClientTimeout(total=5)

Keys = Mapping[tuple[str | None, str], PyJWK]
"""Key id and algorithm -> key. A key without `alg` is there for each algorithm of its type."""


class IssuerError(Exception):
    """There are no keys; the message says why in one sentence."""


class Issuer:
    """An identity provider."""

    def __init__(
        self,
        settings: Oidc,
        session: aiohttp.ClientSession,
        metrics: AccessMetrics,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """Starts without keys.

        Args:
            settings: Where it is.
            session: Connections to it.
            metrics: Where fetches are counted.
            retry_seconds: The shortest time between two fetches.
        """
        self.settings = settings
        self.keys: Keys = {}
        """Those of the last successful fetch; a new object if and only if they changed."""
        self._session = session
        self._metrics = metrics
        metrics.issuer_keys.set(0)
        self._retry_seconds = retry_seconds
        self._fetched: list[Any] | None = None
        self._next_fetch = float("-inf")
        self._failing = False
        self._one_at_a_time = asyncio.Lock()

    async def key(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key that a token's header names; an unknown one is looked for at the issuer.

        Raises:
            IssuerError: No keys could be fetched so far.
        """
        found = self._known(key_id, algorithm)
        if found is None:
            await self.refresh()
            found = self._known(key_id, algorithm)
        if not self.keys:
            raise IssuerError(f"the keys of {self.settings.issuer} could not be fetched")
        return found

    async def refresh(self) -> None:
        """Fetches the keys, unless that was tried a moment ago; if it fails, the old ones stay in use."""
        async with self._one_at_a_time:
            if time.monotonic() < self._next_fetch:
                return
            try:
                await self._fetch()
            except Exception as error:  # whatever the issuer sends, requests with keys that are known go on
                self._metrics.issuer_fetches.labels("failed").inc()
                if not self._failing:
                    stay = "the old ones stay in use" if self.keys else "requests with tokens are refused"
                    why = str(error) if isinstance(error, IssuerError) else f"{type(error).__name__}: {error}"
                    logger.warning("keys of %s cannot be fetched, %s: %s", self.settings.issuer, stay, why)
                self._failing = True
            else:
                self._metrics.issuer_fetches.labels("ok").inc()
                self._failing = False
            self._next_fetch = time.monotonic() + self._retry_seconds

    def _known(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        if key_id is not None:
            return self.keys.get((key_id, algorithm))
        fitting = [key for (_, name), key in self.keys.items() if name == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    async def _fetch(self) -> None:
        url = self.settings.jwks_url or await self._discovered()
        fetched = (await self._get(url)).get("keys")
        if not isinstance(fetched, list):
            raise IssuerError(f"{url} is no key set, correct jwksUrl")
        if len(fetched) > MOST_KEYS:
            raise IssuerError(f"{url} has {len(fetched)} keys, {MOST_KEYS} at most are read")
        if fetched == self._fetched:
            return
        keys = {name: key for jwk in fetched if isinstance(jwk, dict) for name, key in _usable(jwk).items()}
        if not keys:
            raise IssuerError(f"{url} has no key for signatures by one of {', '.join(sorted(ALGORITHMS))}")
        self._fetched, self.keys = fetched, keys
        self._metrics.issuer_keys.set(len({key_id for key_id, _ in keys}))
        logger.info(
            "keys of %s fetched: %s", self.settings.issuer, ", ".join(f"{key_id} {alg}" for key_id, alg in keys)
        )

    async def _discovered(self) -> str:
        url = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        document = await self._get(url)
        if document.get("issuer") != self.settings.issuer:
            named = str(document.get("issuer"))[:_LONGEST_NAME]
            raise IssuerError(f"{url} is of the issuer {named!r}, write oidc.issuer exactly so")
        found = document.get("jwks_uri")
        if not isinstance(found, str):
            raise IssuerError(f"{url} has no jwks_uri, set oidc.jwksUrl")
        return found

    async def _get(self, url: str) -> dict[str, Any]:
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        async with self._session.get(url, timeout=_TIMEOUT, headers=headers) as response:
            response.raise_for_status()
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > LARGEST_DOCUMENT:
                    raise IssuerError(f"{url} is larger than {LARGEST_DOCUMENT} bytes")
        content = orjson.loads(body)
        if not isinstance(content, dict):
            raise IssuerError(f"{url} gave no JSON object")
        return content


def _usable(jwk: dict[str, Any]) -> dict[tuple[str | None, str], PyJWK]:
    """A key under each algorithm that it may sign with; empty if it is not for signatures, or not public."""
    algorithm, key_id = jwk.get("alg"), jwk.get("kid")
    if jwk.get("use", "sig") != "sig" or not isinstance(key_id, str | None) or not isinstance(algorithm, str | None):
        return {}
    if algorithm is not None and algorithm not in ALGORITHMS:
        return {}
    try:
        keys = [PyJWK(jwk, each) for each in _RSA] if jwk.get("kty") == "RSA" and not algorithm else [PyJWK(jwk)]
    except Exception:  # a key set comes from elsewhere; one bad key must not hide the others
        return {}
    return {(key_id, key.algorithm_name): key for key in keys if key.algorithm_name in ALGORITHMS}
