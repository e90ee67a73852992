"""Where one request goes: first, and if that fails."""

from dataclasses import dataclass

from serve_app.gateway.exchange.endpoints import Endpoints
from serve_app.settings.gateway import Model


@dataclass(frozen=True, slots=True)
class Target:
    """A model that a request may be sent to; made once for each configuration."""

    model: str
    """Its id."""
    route: str
    """The route that led here; empty where the client named the model itself."""
    entry: Model
    """What the configuration says of it."""
    upstream_model: str
    """What the body's `model` has to be there: the model's own name at its URL, or an adapter's."""
    endpoints: Endpoints
    """Where its APIs are."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a name led to."""

    name: str
    """As the client gave it."""
    route: str
    """The same if it is a route's; empty if it is a model's or an adapter's."""
    targets: tuple[Target, ...]
    """The backend that was chosen, then the fallbacks in their order."""
    shadows: tuple[Target, ...] = ()
    """Models that get a copy of this request."""
    answer_as: str = ""
    """The name that answers show as their model; empty for the model's own."""
