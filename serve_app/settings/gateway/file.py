"""The gateway's configuration file, as pydantic models: what the chart renders and the gateway loads."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from serve_app.settings.gateway.access import Oidc, Team
from serve_app.settings.gateway.http import Breaker, Cors, KeepAlive, Limits, Queue, Retry, Timeouts
from serve_app.settings.gateway.models import Model
from serve_app.settings.gateway.routes import Route
from serve_app.settings.gateway.section import Name, PositiveCount, Seconds, Section


class Shadows(Section):
    """Bounds on shadow copies."""

    max_concurrent: PositiveCount = Field(default=32, description="Copies in flight; more are left out and counted.")


class Redis(Section):
    """Where the gateway's replicas share their limits."""

    url: Annotated[str, StringConstraints(pattern=r"^rediss?://")] = Field(description="redis://HOST:PORT/DB")
    timeout_seconds: Seconds = Field(default=0.25, description="After that, limits are each replica's own for a while.")


class Data(Section):
    """The component that answers /v1/files and /v1/vector_stores."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+$")] = Field(description="http://HOST:PORT")
    max_file_bytes: PositiveCount = Field(default=100 * 1024 * 1024, description="Of the largest file.")
    batch_price_factor: float = Field(
        default=1, ge=0, le=1, description="What lines of batches cost of the models' prices, such as 0.5 for half."
    )


class Metering(Section):
    """What is written down about requests."""

    currency: str = Field(default="USD", description="Of the models' prices.")
    log_prompts: bool = Field(default=False, description="Write what was asked into the usage log.")
    default_output_tokens: PositiveCount = Field(
        default=1024, description="Tokens of an answer that are reserved for a request that sets no maximum."
    )


class GatewayConfig(Section):
    """The gateway's configuration file."""

    models: dict[Name, Model] = Field(description="Model id -> where it is.")
    routes: dict[Name, Route] = Field(default_factory=dict, description="Further names that clients may use.")
    teams: dict[Name, Team] = Field(default_factory=dict, description="Team -> its limits.")
    oidc: Oidc | None = None
    redis: Redis | None = None
    data: Data | None = None
    limits: Limits = Limits()
    cors: Cors = Cors()
    timeouts: Timeouts = Timeouts()
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
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
