"""For whom the stack's own components ask: what a caller may not do itself, nobody does on its behalf.

The data component works on when its caller has gone: files are taken in, batches run for hours. It names the key that
began the work by a reference to its hash, so that this work ends with the key: revoked, expired or rotated away.
"""

import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import NamedTuple

from serve_app.gateway.access.callers import of_key, of_team
from serve_app.gateway.access.keys import TOKENS_NAME, KeyRing, references
from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.background.watched import Watched
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.settings.gateway import Team

REVOKED, EXPIRED = "key_revoked", "key_expired"
_STORE = re.compile(r"store:[a-z0-9][a-z0-9-]{0,62}")
_PIPELINE = re.compile(r"pipeline:[a-z0-9][a-z0-9.-]{0,62}")
_WORK = ("batch", "ingest")


class Components(NamedTuple):
    """The tokens of those who ask on behalf of others."""

    data: bytes
    """Of the data component, for anybody whom the gateway let in."""
    pipelines: bytes
    """Of pipelines, for themselves."""


class OnBehalf:
    """Finds the caller for whom a component asks."""

    def __init__(
        self,
        tokens: Components,
        keys: Watched[dict[str, bytes], KeyRing] | None,
        teams: Callable[[], Mapping[str, Team]],
        oidc: Callable[[], bool],
        batch_price: Callable[[], float],
    ) -> None:
        """Takes what is in force.

        Args:
            tokens: What components are known by.
            keys: API keys; None where none are asked for.
            teams: Gets the teams.
            oidc: Tells whether tokens of an identity provider are accepted.
            batch_price: Gets the share of its price that a line of a batch costs.
        """
        self._tokens = tokens
        self._keys = keys
        self._teams = teams
        self._oidc = oidc
        self._batch_price = batch_price
        self._made_of: tuple[KeyRing | None, Mapping[str, Team]] | None = None
        self._callers: dict[tuple[str, str, float], Caller] = {}
        """Key, work and price -> caller, made once as long as keys and teams are the same: limits know it by that."""

    def check(self, credential: bytes, headers: Headers) -> Caller | None:
        """The caller of a component's request; None for somebody else's credential.

        Args:
            credential: As it came.
            headers: Lower-case names -> values; `x-gateway-team`, `-key`, `-key-id` and `-subject` say for whom, and
                `x-gateway-work` what the work is, if nobody waits for it: `batch` or `ingest`.

        Raises:
            ApiError: 403 `key_revoked` or `key_expired`, the caller may not ask any more.
        """
        if hmac.compare_digest(credential, self._tokens.pipelines):
            name = _text(headers, "key")
            return Caller(key=name if _PIPELINE.fullmatch(name) else "pipeline")
        if not hmac.compare_digest(credential, self._tokens.data):
            return None
        work = _text(headers, "work")
        caller = self._named(headers, work if work in _WORK else "")
        if caller.expires_at is not None and caller.expires_at <= time.time():
            raise _refusal(f"The API key {caller.key!r} that began this work has expired.", EXPIRED)
        return caller

    def _named(self, headers: Headers, work: str) -> Caller:
        team, key, reference, subject = (_text(headers, name) for name in ("team", "key", "key-id", "subject"))
        teams, price = self._teams(), self._batch_price() if work == "batch" else 1.0
        if _STORE.fullmatch(key):  # documents of a declared store that is embedded anew: its operator's wish
            return _working(of_team(team if team in teams else "", teams, key=key), work, price)
        if self._keys is None and not self._oidc():
            return _working(ANYBODY, work, price)
        if key == TOKENS_NAME:
            if not self._oidc() or (team and team not in teams):
                raise _refusal(f"Tokens of the team {team!r} are not accepted any more.", REVOKED)
            return _working(of_team(team, teams, subject=subject), work, price)
        ring = self._keys.current if self._keys else None
        entry = ring.keys.get(key) if ring else None
        if entry is None or reference not in references(entry):
            raise _refusal(f"The API key {key!r} that began this work is not accepted any more.", REVOKED)
        if self._made_of is None or self._made_of[0] is not ring or self._made_of[1] is not teams:
            self._callers, self._made_of = {}, (ring, teams)
        if (key, work, price) not in self._callers:
            self._callers[key, work, price] = _working(of_key(key, entry, teams), work, price)
        return self._callers[key, work, price]


def _working(caller: Caller, work: str, price: float) -> Caller:
    return replace(caller, priority="low", work=work, price_factor=price) if work else caller


def _text(headers: Headers, name: str) -> str:
    return headers.get(b"x-gateway-" + name.encode(), b"").decode("latin-1")


def _refusal(message: str, code: str) -> ApiError:
    return ApiError(HTTPStatus.FORBIDDEN, f"{message} Begin it again with another.", code=code)
