"""Who sends a request: the holder of an API key, or of an identity provider's token."""

import hmac
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from serve_app.gateway.access.keys import KeyRing
from serve_app.gateway.access.metrics import AccessMetrics, AuthFailure
from serve_app.gateway.access.tokens import Tokens, is_token
from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.background.watched import Watched
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.settings.gateway import Key, Team

logger = logging.getLogger(__name__)

_CHALLENGE = [(b"www-authenticate", b"Bearer")]


class Authenticator:
    """Finds the caller of a request.

    Callers are made when keys or teams change, so that a request with a key costs its hash and one look-up.
    """

    def __init__(
        self,
        keys: Watched[dict[str, bytes], KeyRing] | None,
        tokens: Tokens | None,
        teams: Callable[[], Mapping[str, Team]],
        metrics: AccessMetrics,
        internal: bytes = b"",
    ) -> None:
        """Takes the ways in.

        Args:
            keys: API keys; with None, and where no tokens are configured either, everybody is let in.
            tokens: Tokens of an identity provider; None for keys only.
            teams: Gets the teams in force: the same object as long as they are the same.
            metrics: Where refusals are counted.
            internal: The token of the stack's own components, which ask on behalf of others; empty for none.
        """
        self._internal = internal
        self._keys = keys
        self._tokens = tokens
        self._teams = teams
        self._metrics = metrics
        self._made_of: tuple[KeyRing, Mapping[str, Team]] | None = None
        self._callers: dict[bytes, Caller] = {}

    async def check(self, headers: Headers) -> Caller:
        """The caller of a request.

        Args:
            headers: Lower-case header names -> values. The key or token is in `Authorization: Bearer`, as OpenAI's
                clients send it, in `x-api-key`, as Anthropic's do, or in `api-key`, as Azure's do.

        Raises:
            ApiError: 401 `invalid_api_key` or `invalid_token`; 403 and 503 as `Tokens.check` has them.
        """
        tokens = self._tokens if self._tokens and self._tokens.configured else None
        if self._internal and hmac.compare_digest(_credential(headers), self._internal):
            return self._on_behalf(headers)
        if self._keys is None and tokens is None:
            return ANYBODY
        text = _credential(headers)
        if tokens and is_token(text):
            try:
                return await tokens.check(text)
            except ApiError as error:
                if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    self._metrics.failed(AuthFailure.TOKEN)
                raise
        caller = self._holder(text)
        if caller is None:
            self._metrics.failed(AuthFailure.INVALID if text else AuthFailure.MISSING)
            raise _refusal(given=bool(text), keys=self._keys is not None, tokens=tokens is not None)
        if caller.expires_at is not None and caller.expires_at <= time.time():
            self._metrics.failed(AuthFailure.EXPIRED)
            raise _expired(caller.key, caller.expires_at)
        return caller

    def _on_behalf(self, headers: Headers) -> Caller:
        """The caller for whom a component of the stack asks, with the limits in force; it names one that was let in."""
        team, key, subject = (headers.get(b"x-gateway-" + name, b"").decode() for name in (b"team", b"key", b"subject"))
        entry = self._keys.current.keys.get(key) if self._keys else None
        caller = _caller(key, entry, self._teams()) if entry else _of_team(key, team, subject, self._teams())
        return replace(caller, priority="low") if headers.get(b"x-gateway-priority") == b"low" else caller

    def _holder(self, text: bytes) -> Caller | None:
        if self._keys is None or not text:
            return None
        ring = self._keys.current
        return self._callers_of(ring).get(ring.place(text))

    def _callers_of(self, ring: KeyRing) -> dict[bytes, Caller]:
        teams = self._teams()
        if self._made_of is None or self._made_of[0] is not ring or self._made_of[1] is not teams:
            callers = {name: _caller(name, key, teams) for name, key in ring.keys.items()}
            self._callers = {place: callers[name] for place, name in ring.places.items()}
            self._made_of = ring, teams
        return self._callers


def _caller(name: str, key: Key, teams: Mapping[str, Team]) -> Caller:
    expires_at = key.expires.timestamp() if key.expires else None
    team = teams.get(key.team)
    if team is None:
        if key.team:
            logger.warning(
                "API key %s names the team %s, which is not configured: it has its own limits only, add it to teams",
                name,
                key.team,
            )
        policies: tuple[tuple[str, Key | Team], ...] = ((f"key/{name}", key),)
        return Caller(key=name, policies=policies, priority=key.priority or "normal", expires_at=expires_at)
    return Caller(
        key=name,
        team=key.team,
        policies=((f"key/{name}", key), (f"team/{key.team}", team)),
        priority=key.priority or team.priority or "normal",
        expires_at=expires_at,
    )


def _of_team(key: str, team: str, subject: str, teams: Mapping[str, Team]) -> Caller:
    """A caller whose key is not in the ring (any more), or who came with a token."""
    policy = teams.get(team)
    if policy is None:
        return Caller(key=key, subject=subject)
    policies = ((f"team/{team}", policy),)
    return Caller(key=key, team=team, subject=subject, policies=policies, priority=policy.priority or "normal")


def _refusal(*, given: bool, keys: bool, tokens: bool) -> ApiError:
    credential = "API key or token" if keys and tokens else "API key" if keys else "token"
    message = (
        f"The {credential} is not valid."
        if given
        else f"There is no {credential} in the request: send it in the header 'Authorization: Bearer ...'."
    )
    return ApiError(HTTPStatus.UNAUTHORIZED, message, code="invalid_api_key", headers=_CHALLENGE)


def _expired(name: str, expires_at: float) -> ApiError:
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(expires_at))
    message = f"The API key {name!r} expired on {when} (UTC): ask for a new one."
    return ApiError(HTTPStatus.UNAUTHORIZED, message, code="invalid_api_key", headers=_CHALLENGE)


def _credential(headers: Headers) -> bytes:
    scheme, _, text = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and (text := text.strip()):
        return text
    return headers.get(b"x-api-key", b"").strip() or headers.get(b"api-key", b"").strip()
