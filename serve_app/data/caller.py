"""Who asks: as the gateway says, which has authenticated it, or a pipeline on behalf of its caller."""

import hmac
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request

from serve_app.data.errors import ApiError


@dataclass(frozen=True, slots=True)
class Caller:
    """Names as the gateway has them; all are empty where it asks nobody for a key."""

    team: str = ""
    key: str = ""
    subject: str = ""
    """The name in an identity provider's token."""

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
        names = {"x-gateway-team": self.team, "x-gateway-key": self.key, "x-gateway-subject": self.subject}
        return {name: value for name, value in names.items() if value}

    def as_json(self) -> dict[str, Any]:
        """For work that is done later; `Caller(**…)` gives it back."""
        return asdict(self)


def authenticated(request: Request) -> Caller:
    """The caller of a request.

    Raises:
        ApiError: 401, the request does not come from the gateway or a pipeline.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    expected: str = request.app.state.token
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), expected.encode()):
        message = "The token is not that of the data component: ask through the gateway."
        raise ApiError(HTTPStatus.UNAUTHORIZED, message, code="invalid_token")
    names = (request.headers.get(f"x-gateway-{name}", "") for name in ("team", "key", "subject"))
    return Caller(*names)


Authenticated = Annotated[Caller, Depends(authenticated)]
