"""`auth`: who may use the gateway, and how much of it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from serve_app.settings import gateway, patterns
from serve_app.settings.chart.part import Name, Names, Part, like

LIMITS = {"requests_per_minute": "Requests within any minute.", "concurrent_requests": "Requests at once."}
Team = like(gateway.Team, "Team", **LIMITS)
Policy = like(gateway.Policy, "Policy", **LIMITS)
Hash = Annotated[str, StringConstraints(pattern=patterns.HASH)]
Url = Annotated[str, StringConstraints(pattern=patterns.URL)]


class ApiKey(Policy):  # type: ignore[misc,valid-type]
    """An API key."""

    enabled: bool | None = Field(
        default=None, description="`false`: there is no such key, as by null; Helm 4 drops an umbrella chart's nulls."
    )
    hash: Hash | None = Field(
        default=None,
        description="`sha256:` and the SHA-256 of its text, as `python -m serve_app.keys` prints it. Empty: the chart "
        "makes the key.",
    )
    previous_hash: Hash | None = Field(
        default=None, description="Its hash before, which is accepted as well while the key is rotated."
    )
    team: Name | None = Field(default=None, description="The team it belongs to, a key of `auth.teams`.")
    expires: Annotated[str, StringConstraints(pattern=patterns.TIME)] | None = Field(
        default=None, description="From when it is refused: `2027-01-31` (its start, UTC) or `2027-01-31T12:00:00Z`."
    )


class Oidc(Part):
    """JSON web tokens of an identity provider."""

    enabled: bool
    issuer: Url
    audience: str
    jwks_url: Url
    team_claim: str
    name_claim: Annotated[str, StringConstraints(min_length=1)]
    require_team: bool


class SmokeTest(Part):
    """The key that `helm test` sends."""

    existing_secret: Names
    key: str


class Auth(Part):
    """Who may use the gateway."""

    enabled: bool
    teams: dict[Name, Team | None]  # type: ignore[valid-type]
    api_keys: dict[Name, ApiKey | None]
    existing_secret: Names
    oidc: Oidc
    smoke_test: SmokeTest
