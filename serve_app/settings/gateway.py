"""What the chart may say to the gateway: its configuration file, as pydantic models.

Keys are camelCase as in the chart's values, unknown keys are refused, and every refusal can be told in one sentence
that names the key and the remedy (`explain`).
"""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class Section(BaseModel):
    """A part of the file: immutable, camelCase, closed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_keys(cls, data: object) -> object:
        """Refuses unknown keys with the known ones in the sentence, which `extra="forbid"` alone would not say."""
        if isinstance(data, dict):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            if unknown := sorted(str(key) for key in data if key not in known):
                use = f"use one of: {', '.join(known)}" if known else "it takes no keys yet"
                raise ValueError(f"has the unknown key {unknown[0]!r}, {use}")
        return data


class Model(Section):
    """A model: one application behind Ray Serve."""

    url: str = Field(description="Where the model's API is, without /v1; http or https.")
    owned_by: str = Field(default="ray-vllm-stack", description="`owned_by` in /v1/models.")

    @field_validator("url")
    @classmethod
    def _is_base_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"is {url!r}, write it as http://HOST:PORT/PATH")
        return url.rstrip("/")


class Backend(Section):
    """A model that answers for a route."""


class Route(Section):
    """A name that clients may use beside the models' own."""

    backends: dict[Name, Backend] = Field(description="Model id -> how it takes part; exactly one.")

    @field_validator("backends")
    @classmethod
    def _has_one(cls, backends: dict[str, Backend]) -> dict[str, Backend]:
        if len(backends) != 1:
            raise ValueError(f"has {len(backends)} models, name exactly one")
        return backends

    @property
    def model(self) -> str:
        """The id of the model that answers."""
        return next(iter(self.backends))


class Limits(Section):
    """What a client may send."""

    max_body_bytes: int = Field(default=10 * 1024 * 1024, gt=0, description="Largest request body in bytes.")


class Timeouts(Section):
    """How long the gateway waits for a model, in seconds."""

    connect_seconds: Seconds = Field(default=5, description="One attempt's name look-up and connection.")
    first_byte_seconds: Seconds = Field(default=600, description="From the request to the answer's first byte, in all.")
    idle_seconds: Seconds = Field(default=600, description="Between two bytes of an answer.")


class Retry(Section):
    """What happens while a model cannot be reached, before the first byte of an answer."""

    window_seconds: float = Field(
        default=60, ge=0, le=86400, description="How long after the first failed attempt new ones are made; 0 for none."
    )


class GatewayConfig(Section):
    """The gateway's configuration file."""

    models: dict[Name, Model] = Field(description="Model id -> where it is.")
    routes: dict[Name, Route] = Field(default_factory=dict, description="Further names that clients may use.")
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    retry: Retry = Retry()

    @model_validator(mode="after")
    def _routes_lead_to_models(self) -> "GatewayConfig":
        known = ", ".join(self.models) or "none"
        for name, route in self.routes.items():
            if name in self.models:
                raise ValueError(f"routes.{name} has the name of a model, rename the route")
            if route.model not in self.models:
                raise ValueError(f"routes.{name}.backends names {route.model!r}, use a key of models: {known}")
        return self


def explain(error: ValidationError) -> str:
    """Tells a refusal in one sentence: the first offending key, what is wrong, and what to do.

    Args:
        error: What `GatewayConfig.model_validate` raised.
    """
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"] if part != "[key]")
    if first["type"] == "missing":
        problem = "is missing, add it"
    elif first["type"] == "value_error":
        problem = str(first["ctx"]["error"])
    else:
        problem = f"is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{key} {problem}{more}".strip()
