"""Tells who sends a request: the holder of an API key, or of an identity provider's token."""

import logging
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from serve_app.gateway.access.keys import KeyRing
from serve_app.gateway.access.tokens import Tokens
from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.background.watched import Watched
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.gateway.observe.metrics import Metrics
from serve_app.settings.gateway import Key, Team

logger = logging.getLogger(__name__)
_CHALLENGE = [(b"www-authenticate", b"Bearer")]


class Authenticator:
    """Joins both ways in.

    Whatever a caller is told or charged by is made when keys or teams change, so that a request with a key costs its
    hash and one look-up.
    """

    def __init__(
        self,
        keys: Watched[dict[str, bytes], KeyRing] | None,
        tokens: Tokens | None,
        teams: Callable[[], Mapping[str, Team]],
        metrics: Metrics,
    ) -> None:
        """Joins the keys, the tokens and the teams.

        Args:
            keys: The keys; with None, and where no tokens are asked for either, everybody is let in.
            tokens: Those who check tokens; None for keys only.
            teams: Gets the teams of the moment: the same object as long as they are the same.
            metrics: Where refusals are counted.
        """
        self._keys = keys
        self._tokens = tokens
        self._teams = teams
        self._metrics = metrics
        self._made_of: tuple[KeyRing, Mapping[str, Team]] | None = None
        self._callers: dict[bytes, Caller] = {}

    async def check(self, headers: Headers) -> Caller:
        """Who sends a request.

        Args:
            headers: Lower-case header names -> values. The key or token is in `Authorization: Bearer`, as OpenAI's
                clients send it, in `x-api-key`, as Anthropic's do, or in `api-key`, as Azure's do.

        Raises:
            ApiError: 401 `invalid_api_key` or `invalid_token`; 403 and 503 as `Tokens.check` has them.
        """
        tokens = self._tokens if self._tokens and self._tokens.asked_for else None
        if self._keys is None and tokens is None:
            return ANYBODY
        text = _credential_in(headers)
        if tokens and tokens.looks_like(text):
            try:
                return await tokens.check(text)
            except ApiError as error:
                if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    self._metrics.auth_failures.inc()
                raise
        caller = self._holder(text)
        if caller is not None and caller.expires_at and caller.expires_at <= time.time():
            self._metrics.auth_failures.inc()
            raise _expired(caller)
        if caller is None:
            self._metrics.auth_failures.inc()
            asked_for = ("API key" if self._keys else "", "token" if tokens else "")
            raise _refusal(" or ".join(filter(None, asked_for)), given=bool(text))
        return caller

    def _holder(self, text: bytes) -> Caller | None:
        if self._keys is None or not text:
            return None
        ring = self._keys.current
        return self._callers_of(ring).get(ring.place(text))

    def _callers_of(self, ring: KeyRing) -> dict[bytes, Caller]:
        teams = self._teams()
        if self._made_of is None or self._made_of[0] is not ring or self._made_of[1] is not teams:
            self._callers = {place: _caller(name, key, teams) for place, (name, key) in ring.entries.items()}
            self._made_of = ring, teams
        return self._callers


def _caller(name: str, key: Key, teams: Mapping[str, Team]) -> Caller:
    team = teams.get(key.team)
    if team is None:
        if key.team:
            logger.warning(
                "API key %s names the team %s, which is not configured: it has its own limits only, add it to teams",
                name,
                key.team,
            )
        policies = ((f"key/{name}", key),)
        return Caller(key=name, policies=policies, priority=key.priority or "normal", expires_at=_seconds(key))
    return Caller(
        key=name,
        expires_at=_seconds(key),
        team=key.team,
        policies=((f"key/{name}", key), (f"team/{key.team}", team)),
        priority=key.priority or team.priority or "normal",
    )


def _seconds(key: Key) -> float:
    return key.expires.timestamp() if key.expires else 0.0


def _expired(caller: Caller) -> ApiError:
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(caller.expires_at))
    message = f"The API key {caller.key!r} expired on {when} (UTC): ask for a new one."
    return ApiError(HTTPStatus.UNAUTHORIZED, message, code="invalid_api_key", headers=_CHALLENGE)


def _refusal(asked_for: str, *, given: bool) -> ApiError:
    message = (
        f"The {asked_for} is not valid."
        if given
        else f"There is no {asked_for} in the request: send it in the header 'Authorization: Bearer ...'."
    )
    return ApiError(HTTPStatus.UNAUTHORIZED, message, code="invalid_api_key", headers=_CHALLENGE)


def _credential_in(headers: Headers) -> bytes:
    scheme, _, text = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and text.strip():
        return text.strip()
    return headers.get(b"x-api-key", b"").strip() or headers.get(b"api-key", b"").strip()
