"""Who sends a request: the holder of an API key, or of an identity provider's token."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from serve_app.gateway.access.callers import of_key
from serve_app.gateway.access.keys import KeyRing
from serve_app.gateway.access.metrics import AccessMetrics, AuthFailure
from serve_app.gateway.access.on_behalf import OnBehalf
from serve_app.gateway.access.tokens import Tokens, is_token
from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.background.watched import Watched
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.settings.gateway import Team

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
        on_behalf: OnBehalf | None = None,
    ) -> None:
        """Takes the ways in.

        Args:
            keys: API keys; with None, and where no tokens are configured either, everybody is let in.
            tokens: Tokens of an identity provider; None for keys only.
            teams: Gets the teams in force: the same object as long as they are the same.
            metrics: Where refusals are counted.
            on_behalf: The stack's own components, which ask on behalf of others; None for none.
        """
        self._on_behalf = on_behalf
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
            ApiError: 401 `invalid_api_key` or `invalid_token`; 403 and 503 as `Tokens.check` and `OnBehalf.check` have
                them.
        """
        tokens = self._tokens if self._tokens and self._tokens.configured else None
        text = _credential(headers)
        if self._on_behalf and (caller := self._on_behalf.check(text, headers)):
            return caller
        if self._keys is None and tokens is None:
            return ANYBODY
        if tokens and is_token(text):
            try:
                return await tokens.check(text)
            except ApiError as error:
                if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    self._metrics.failed(AuthFailure.TOKEN)
                raise
        holder = self._holder(text)
        if holder is None:
            self._metrics.failed(AuthFailure.INVALID if text else AuthFailure.MISSING)
            raise _refusal(given=bool(text), keys=self._keys is not None, tokens=tokens is not None)
        if holder.expires_at is not None and holder.expires_at <= time.time():
            self._metrics.failed(AuthFailure.EXPIRED)
            raise _expired(holder.key, holder.expires_at)
        return holder

    def _holder(self, text: bytes) -> Caller | None:
        if self._keys is None or not text:
            return None
        ring = self._keys.current
        return self._callers_of(ring).get(ring.place(text))

    def _callers_of(self, ring: KeyRing) -> dict[bytes, Caller]:
        teams = self._teams()
        if self._made_of is None or self._made_of[0] is not ring or self._made_of[1] is not teams:
            callers = {name: of_key(name, key, teams) for name, key in ring.keys.items()}
            self._callers = {
                place: replace(callers[name], key_id=ring.references[place]) for place, name in ring.places.items()
            }
            self._made_of = ring, teams
        return self._callers


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
