"""JSON web tokens of an identity provider (OIDC) in place of API keys: each is verified once, then remembered."""

import asyncio
import hashlib
import math
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp

from serve_app.gateway.access.callers import of_team
from serve_app.gateway.access.issuer import RETRY_SECONDS, Issuer, IssuerError, Keys
from serve_app.gateway.access.metrics import AccessMetrics, TokenResult
from serve_app.gateway.access.verify import LEEWAY_SECONDS, TokenError, claims_of
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.gateway.exchange.caller import Caller
from serve_app.settings.gateway import Oidc, Team

_SHAPE = re.compile(rb"eyJ[\w-]*\.[\w-]+\.[\w-]*")
LONGEST_SUBJECT = 256
_CHALLENGE = [(b"www-authenticate", b'Bearer error="invalid_token"')]


def is_token(text: bytes) -> bool:
    """Whether a credential has the shape of a token, which no API key has."""
    return _SHAPE.fullmatch(text) is not None


class Tokens:
    """Finds the callers behind tokens."""

    def __init__(
        self,
        settings: Callable[[], Oidc | None],
        teams: Callable[[], Mapping[str, Team]],
        session: aiohttp.ClientSession,
        metrics: AccessMetrics,
        *,
        refresh_seconds: float = 300,
        retry_seconds: float = RETRY_SECONDS,
        remembered: int = 10_000,
    ) -> None:
        """Starts with nothing fetched.

        Args:
            settings: Gets the settings in force; None while no issuer is configured.
            teams: Gets the teams in force: the same object as long as they are the same.
            session: Connections to the issuer.
            metrics: Where checks are counted.
            refresh_seconds: Between two fetches of the issuer's keys.
            retry_seconds: Between two fetches while they fail, and the shortest time between any two.
            remembered: How many tokens need not be verified again; the least recently used are forgotten first.
        """
        self._settings = settings
        self._teams = teams
        self._session = session
        self._metrics = metrics
        self._refresh_seconds = refresh_seconds
        self._retry_seconds = retry_seconds
        self._remembered = remembered
        self._issuer: Issuer | None = None
        self._verified: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._verified_by: tuple[Keys, Mapping[str, Team]] | None = None

    @classmethod
    @asynccontextmanager
    async def connected(
        cls,
        settings: Callable[[], Oidc | None],
        teams: Callable[[], Mapping[str, Team]],
        metrics: AccessMetrics,
        supervisor: Supervisor,
    ) -> AsyncIterator["Tokens"]:
        """Tokens with open connections; the supervisor keeps the issuer's keys up to date meanwhile."""
        async with aiohttp.ClientSession(trust_env=True) as session:
            tokens = cls(settings, teams, session, metrics)
            following = supervisor.run_forever("issuer", tokens.follow_issuer)
            try:
                yield tokens
            finally:
                following.cancel()

    async def follow_issuer(self) -> None:
        """Fetches the issuer's keys periodically until cancelled, so that no request has to wait for them."""
        while True:
            issuer = self._current()
            if issuer:
                await issuer.refresh()
            await asyncio.sleep(self._retry_seconds if issuer and not issuer.keys else self._refresh_seconds)

    @property
    def configured(self) -> bool:
        """Whether the configuration in force has an issuer."""
        return self._settings() is not None

    async def check(self, text: bytes) -> Caller:
        """The caller that a token is from.

        Raises:
            ApiError: 401 `invalid_token`; 403 `unknown_team` where the token is good and a team is required; 503
                `issuer_unavailable` while no keys of the issuer could be fetched.
        """
        issuer, teams = self._current(), self._teams()
        if issuer is None:
            raise ValueError("no issuer is configured")
        place = hashlib.sha256(text).digest()  # a token cannot be recovered from its hash
        verified = self._verified_with(issuer.keys, teams)
        if known := verified.get(place):
            if time.time() < known[0]:
                verified.move_to_end(place)
                return known[1]
            del verified[place]
        claims = await self._claims(text, issuer)
        caller = self._caller(claims, issuer.settings, teams)
        self._metrics.tokens.labels(TokenResult.OK).inc()
        verified = self._verified_with(issuer.keys, teams)
        verified[place] = int(claims["exp"]) + LEEWAY_SECONDS, caller
        if len(verified) > self._remembered:
            verified.popitem(last=False)
        return caller

    def _current(self) -> Issuer | None:
        """The configured issuer; the same object as long as its settings are the same."""
        settings = self._settings()
        if settings is None:
            self._issuer = None
        elif self._issuer is None or self._issuer.settings != settings:
            self._issuer = Issuer(settings, self._session, self._metrics, self._retry_seconds)
        return self._issuer

    def _verified_with(self, keys: Keys, teams: Mapping[str, Team]) -> OrderedDict[bytes, tuple[float, Caller]]:
        """What was verified with these keys and teams; tokens of a withdrawn key are forgotten with it."""
        if self._verified_by is None or self._verified_by[0] is not keys or self._verified_by[1] is not teams:
            self._verified.clear()
            self._verified_by = keys, teams
        return self._verified

    async def _claims(self, text: bytes, issuer: Issuer) -> dict[str, Any]:
        try:
            return await claims_of(text, issuer)
        except TokenError as error:
            self._metrics.tokens.labels(error.result).inc()
            raise ApiError(HTTPStatus.UNAUTHORIZED, str(error), code="invalid_token", headers=_CHALLENGE) from error
        except IssuerError as error:
            self._metrics.tokens.labels(TokenResult.NO_KEYS).inc()
            message = "The token cannot be checked: its issuer cannot be reached at the moment."
            retry_after = [(b"retry-after", str(math.ceil(self._retry_seconds)).encode())]
            raise ApiError(
                HTTPStatus.SERVICE_UNAVAILABLE, message, code="issuer_unavailable", headers=retry_after
            ) from error

    def _caller(self, claims: Mapping[str, Any], settings: Oidc, teams: Mapping[str, Team]) -> Caller:
        named = claims.get(settings.team_claim) if settings.team_claim else None
        candidates = named if isinstance(named, list) else [named]
        name = next((each for each in candidates if isinstance(each, str) and each in teams), "")
        if settings.require_team and not name:
            self._metrics.tokens.labels(TokenResult.TEAM).inc()
            message = f"The token names no team that may use this gateway (claim {settings.team_claim})."
            raise ApiError(HTTPStatus.FORBIDDEN, message, code="unknown_team")
        subject = str(claims.get(settings.name_claim, ""))[:LONGEST_SUBJECT]
        return of_team(name, teams, subject=subject)
