"""Who asks: as the gateway says, which has authenticated it, or a pipeline, which may search what is declared."""

import hmac
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request

from serve_app.data.errors import ApiError

ENDED = ("key_revoked", "key_expired")
"""Codes of the gateway's 403 for work whose caller may not ask any more."""
FRESH_MS = 120_000
"""For which a key may be unknown to one pod of the gateway while another let it in."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Names as the gateway has them; all are empty where it asks nobody for a key."""

    team: str = ""
    key: str = ""
    subject: str = ""
    """The name in an identity provider's token."""
    key_id: str = ""
    """The gateway's reference to the text of the key: what is done later ends with it."""
    pipeline: bool = False
    """Whether a pipeline asks."""

    @property
    def owner(self) -> str:
        """Whose what it makes is: the team's, or its own where it has none."""
        if self.team:
            return f"team/{self.team}"
        if self.subject:
            return f"subject/{self.subject}"
        return f"key/{self.key}" if self.key else ""

    @property
    def headers(self) -> dict[str, str]:
        """What tells the gateway on whose behalf it is asked."""
        return {f"x-gateway-{name}": value for name in _NAMES if (value := getattr(self, name.replace("-", "_")))}

    def as_json(self) -> dict[str, Any]:
        """For work that is done later; `Caller(**…)` gives it back."""
        return asdict(self)


_NAMES = ("team", "key", "subject", "key-id")


def authenticated(request: Request) -> Caller:
    """The caller of a request.

    Raises:
        ApiError: 401, the request does not come from the gateway.
    """
    if not _holds(request, request.app.state.component_token):
        message = "The token is not that of the data component: ask through the gateway."
        raise ApiError(HTTPStatus.UNAUTHORIZED, message, code="invalid_token")
    team, key, subject, reference = (request.headers.get(f"x-gateway-{name}", "") for name in _NAMES)
    return Caller(team, key, subject, reference)


def reading(request: Request) -> Caller:
    """The caller of a search.

    Raises:
        ApiError: 401, the request does not come from the gateway or a pipeline.
    """
    if _holds(request, request.app.state.pipeline_token):
        return Caller(team=request.headers.get("x-gateway-team", ""), pipeline=True)
    return authenticated(request)


def _holds(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


Authenticated = Annotated[Caller, Depends(authenticated)]
Reading = Annotated[Caller, Depends(reading)]
