"""The models and routes of one configuration, ready for look-up: what a request holds on to from start to end."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from yarl import URL

from serve_app.gateway.apis.errors import ApiError
from serve_app.settings.gateway import GatewayConfig, Limits, Retry, Timeouts

APIS = {"/v1/chat/completions": "chat_completions", "/v1/completions": "completions"}
"""The paths that are passed to models -> their names in metrics and logs."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes."""

    model: str
    route: str
    """The route that led here; empty where the client named the model itself."""
    urls: dict[str, URL]
    """Path of `APIS` -> the same API at the model; parsed once, since parsing costs more than sending."""


class Catalog:
    """An immutable view of a configuration.

    A reload makes a new catalog; requests in flight go on with the one they started with.
    """

    def __init__(self, config: GatewayConfig, loaded_at: float) -> None:
        """Builds the look-up table.

        Args:
            config: The configuration.
            loaded_at: When it was loaded, in seconds since 1970; `created` in /v1/models.
        """
        self.limits: Limits = config.limits
        self.timeouts: Timeouts = config.timeouts
        self.retry: Retry = config.retry
        self.created = int(loaded_at)
        self._owners = {model: entry.owned_by for model, entry in config.models.items()}
        self._targets = {
            model: Target(model, "", {path: URL(entry.url + path) for path in APIS})
            for model, entry in config.models.items()
        }
        for name, route in config.routes.items():
            self._targets[name] = Target(
                next(iter(route.backends)), name, self._targets[next(iter(route.backends))].urls
            )

    def __iter__(self) -> Iterator[str]:
        """All names that clients may use: models first, then routes."""
        return iter(self._targets)

    def targets(self) -> Iterator[Target]:
        """Where these names lead, in the same order."""
        return iter(self._targets.values())

    def owner(self, name: str) -> str:
        """Who owns a model, or the model behind a route."""
        return self._owners[self._targets[name].model]

    def resolve(self, name: str) -> Target:
        """Finds where a name leads.

        Raises:
            ApiError: 404 `model_not_found`, which names the models there are.
        """
        try:
            return self._targets[name]
        except KeyError:
            known = ", ".join(self) or "none"
            message = f"The model {name!r} does not exist. Models here: {known}."
            raise ApiError(HTTPStatus.NOT_FOUND, message, code="model_not_found", param="model") from None
