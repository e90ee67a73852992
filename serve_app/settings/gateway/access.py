"""Who may ask for what, and how often: policies of keys and teams, and tokens of an identity provider."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from serve_app.settings.gateway.section import Name, PositiveCount, Section

Priority = Literal["high", "normal", "low"]
HASH_PATTERN = re.compile(r"sha256:[0-9a-f]{64}")
TIME_PATTERN = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d))?")
"""RFC 3339; a time needs its zone, and a date alone is its start in UTC."""


class Policy(Section):
    """What a key or a team may do; what is not set is not limited."""

    models: list[Name] | None = Field(default=None, description="Models and routes it may ask for; all if not set.")
    requests_per_minute: PositiveCount | None = None
    tokens_per_minute: PositiveCount | None = Field(default=None, description="Prompt and answer together.")
    concurrent_requests: PositiveCount | None = None
    monthly_tokens: PositiveCount | None = Field(default=None, description="Prompt and answer; the month is UTC's.")
    monthly_cost: float | None = Field(
        default=None, gt=0, le=1e9, description="Price of the month's tokens, in metering.currency."
    )
    priority: Priority | None = Field(default=None, description="Whose turn comes first where requests wait.")


class Team(Policy):
    """Keys that share limits; the limits are the team's in all."""


class Key(Policy):
    """An entry of a mounted Secret, as JSON: a key that is accepted. Its text is known to its holder only."""

    hash: str = Field(description="sha256: and the SHA-256 of the key's text in hexadecimal digits.")
    previous_hash: str = Field(default="", description="The hash before, accepted as well while the key is rotated.")
    team: str = Field(default="", description="The team it belongs to.")
    expires: datetime | None = Field(
        default=None, description="From when it is refused: 2027-01-31 (its start, UTC) or 2027-01-31T12:00:00Z."
    )

    @field_validator("hash", "previous_hash")
    @classmethod
    def _is_hash(cls, value: str) -> str:
        if value and not HASH_PATTERN.fullmatch(value):
            raise ValueError("is no sha256:<64 hexadecimal digits>, make the entry with python -m serve_app.keys")
        return value

    @field_validator("hash")
    @classmethod
    def _is_there(cls, value: str) -> str:
        if not value:
            raise ValueError("is empty, make the entry with python -m serve_app.keys")
        return value

    @field_validator("expires", mode="before")
    @classmethod
    def _is_time(cls, value: object) -> datetime | None:
        if value is None:
            return None
        time = value
        try:
            if isinstance(value, str) and TIME_PATTERN.fullmatch(value):
                time = datetime.fromisoformat(value.upper())
                if len(value) == len("2027-01-31"):
                    time = time.replace(tzinfo=UTC)
            elif type(value) is date:  # YAML that is not quoted
                time = datetime(value.year, value.month, value.day, tzinfo=UTC)
        except ValueError:
            time = None
        if not isinstance(time, datetime) or time.tzinfo is None:
            raise ValueError(f"is {str(value)!r}, write a time as 2027-01-31T12:00:00Z or a date as 2027-01-31")
        return time


class Oidc(Section):
    """JSON web tokens of an identity provider, as a second way in."""

    issuer: Annotated[str, StringConstraints(min_length=1)] = Field(description="`iss` of its tokens; an https URL.")
    audience: Annotated[str, StringConstraints(min_length=1)] = Field(description="`aud` that tokens must name.")
    jwks_url: str = Field(default="", description="Its keys; found through the issuer's discovery document if empty.")
    team_claim: str = Field(default="", description="Claim whose value is the team; a list's first known one counts.")
    name_claim: str = Field(default="sub", description="Claim that names the caller in logs.")
    require_team: bool = Field(default=False, description="Refuse tokens whose team is not one of teams.")
