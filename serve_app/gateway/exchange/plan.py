"""Where one request goes: first, and if that fails."""

from collections.abc import Mapping
from dataclasses import dataclass

from yarl import URL

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
    urls: Mapping[str, URL]
    """Path of `api.table.APIS` -> the same API at the model, if it has it. Parsed once: that costs more."""


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
