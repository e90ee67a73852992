"""`routes` of the gateway's configuration: further names that clients may use, and where they lead."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from serve_app.settings.gateway.section import Count, Name, Percent, Section


class Backend(Section):
    """A model that answers for a route."""

    weight: Count = Field(default=1, description="Its share of the requests, beside the other backends' weights.")


class Shadow(Section):
    """A model that gets copies of requests; its answers are compared and dropped."""

    percent: Percent = Field(description="How many of the requests are copied.")


class Fallback(Section):
    """A model that is asked when no backend could answer."""

    order: Count = Field(default=0, description="Lowest first; equal ones by name.")


class Sticky(Section):
    """What keeps a client at one backend."""

    by: Literal["header", "user", "key"] = Field(
        description="A header's value, the `user` of the request's body, or the API key's name."
    )
    header: str = Field(default="", description="The header's name, for by: header.")

    @model_validator(mode="after")
    def _has_header(self) -> "Sticky":
        if (self.by == "header") != bool(self.header):
            raise ValueError("needs header with by: header, and only then, name the header or remove it")
        return self


Backends = dict[Name, Backend]


def _asks_somebody(backends: Backends) -> Backends:
    if not any(backend.weight for backend in backends.values()):
        raise ValueError("has no backend with a weight above 0, so that nobody would answer, give one a weight")
    return backends


class Match(Section):
    """Requests that go to other backends than the route's: those that meet all conditions."""

    order: Count = Field(default=0, description="Lowest is tried first; equal ones by name.")
    headers: dict[Name, str] = Field(default_factory=dict, description="Header -> the value that it must have.")
    teams: list[Name] = Field(default_factory=list, description="Teams, one of which the key must belong to.")
    backends: Backends = Field(description="Model id -> how it takes part.")

    _check = field_validator("backends")(_asks_somebody)

    @model_validator(mode="after")
    def _has_a_condition(self) -> "Match":
        if not self.headers and not self.teams:
            raise ValueError("has no condition, add headers or teams, or use the route's own backends")
        return self


class Route(Section):
    """A name that clients may use beside the models' own."""

    backends: Backends = Field(description="Model id -> how it takes part.")
    sticky: Sticky | None = None
    matches: dict[Name, Match] = Field(default_factory=dict, description="Other backends for some requests.")
    shadow: dict[Name, Shadow] = Field(default_factory=dict, description="Model id -> how many copies it gets.")
    fallback: dict[Name, Fallback] = Field(default_factory=dict, description="Model id -> when it is asked.")
    answer_model: Literal["backend", "route"] = Field(
        default="backend", description="The `model` of answers: the backend that answered, or the route's name."
    )

    _check = field_validator("backends")(_asks_somebody)

    def model_ids(self) -> dict[str, str]:
        """Where each model is named: key path below the route -> model id."""
        named = {f"backends.{model}": model for model in self.backends}
        for name, match in self.matches.items():
            named |= {f"matches.{name}.backends.{model}": model for model in match.backends}
        named |= {f"shadow.{model}": model for model in self.shadow}
        return named | {f"fallback.{model}": model for model in self.fallback}
