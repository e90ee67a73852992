"""The gateway's configuration file, as pydantic models: what the chart renders and the gateway loads."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from serve_app.settings.gateway.access import Oidc, Team
from serve_app.settings.gateway.models import Model, Route
from serve_app.settings.gateway.section import Count, Name, PositiveCount, Seconds, Section


class Limits(Section):
    """What a client may send."""

    max_body_bytes: PositiveCount = Field(default=10 * 1024 * 1024, description="Largest request body in bytes.")
    body_seconds: Seconds = Field(default=60, description="How long a client may take to send its body.")


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
    before_fallback_seconds: float = Field(
        default=2, ge=0, le=86400, description="The same where a fallback is there to be asked in its place."
    )
    max_lost: Count = Field(
        default=3, description="How often a request is sent again that a model took and lost: it may be what ends it."
    )


class Queue(Section):
    """Requests that wait for their turn, per model and gateway replica."""

    max_requests: Count = Field(default=256, description="How many may wait; the next is refused.")
    max_seconds: Seconds = Field(default=60, description="How long one may wait.")


class KeepAlive(Section):
    """What a streaming client gets while it waits for the first byte: the headers, and comments that keep it alive."""

    after_seconds: Seconds = Field(default=15, description="When the headers are sent, if there is no answer yet.")
    every_seconds: Seconds = Field(default=15, description="Between two comments.")


class Shadows(Section):
    """Bounds on shadow copies."""

    max_concurrent: PositiveCount = Field(default=32, description="Copies in flight; more are left out and counted.")


class Redis(Section):
    """Where the gateway's replicas share their limits."""

    url: Annotated[str, StringConstraints(pattern=r"^rediss?://")] = Field(description="redis://HOST:PORT/DB")
    timeout_seconds: Seconds = Field(default=0.25, description="After that, limits are each replica's own for a while.")


class Metering(Section):
    """What is written down about requests."""

    currency: str = Field(default="USD", description="Of the models' prices.")
    log_prompts: bool = Field(default=False, description="Write what was asked into the usage log.")


class GatewayConfig(Section):
    """The gateway's configuration file."""

    models: dict[Name, Model] = Field(description="Model id -> where it is.")
    routes: dict[Name, Route] = Field(default_factory=dict, description="Further names that clients may use.")
    teams: dict[Name, Team] = Field(default_factory=dict, description="Team -> its limits.")
    oidc: Oidc | None = None
    redis: Redis | None = None
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    retry: Retry = Retry()
    queue: Queue = Queue()
    keep_alive: KeepAlive = KeepAlive()
    shadows: Shadows = Shadows()
    metering: Metering = Metering()

    @model_validator(mode="after")
    def _names_are_known(self) -> "GatewayConfig":
        known = ", ".join(self.models) or "none"
        adapters: set[str] = set()
        for model, entry in self.models.items():
            for adapter in entry.adapters:
                if adapter in adapters or adapter in self.models:
                    raise ValueError(f"models.{model}.adapters names {adapter!r}, which is taken, rename it")
                adapters.add(adapter)
        for name, route in self.routes.items():
            if name in self.models or name in adapters:
                raise ValueError(f"routes.{name} has the name of a model, rename the route")
            for key, model in route.model_ids().items():
                if model not in self.models:
                    raise ValueError(f"routes.{name}.{key} is no model, use a key of models: {known}")
            for key, match in route.matches.items():
                if unknown := [team for team in match.teams if team not in self.teams]:
                    raise ValueError(f"routes.{name}.matches.{key}.teams names {unknown[0]!r}, add it to teams")
        return self
