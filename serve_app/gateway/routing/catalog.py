"""The models and routes of one configuration, ready for look-up: what a request holds on to from start to end."""

from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from random import Random

from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.api.table import Api
from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.exchange.endpoints import Endpoints
from serve_app.gateway.exchange.plan import Plan, Target
from serve_app.gateway.routing.resolver import ModelResolver, Resolver, RouteResolver
from serve_app.settings.gateway import GatewayConfig, Model

_LONGEST_NAME = 253
_MOST_NAMES = 20
"""That a refusal lists: enough to find a typing mistake; GET /v1/models has them all."""


class Catalog:
    """An immutable view of a configuration.

    A reload makes a new catalog; requests in flight go on with the one they started with, but new attempts go where the
    model is by then. What can be made before a request is there is made here, so that a request costs a look-up, and on
    routes the choice.
    """

    def __init__(self, config: GatewayConfig, loaded_at: float, random: Random | None = None) -> None:
        """Builds the look-up table.

        Args:
            config: The configuration.
            loaded_at: When it was loaded, in seconds since 1970; `created` in /v1/models.
            random: Draws backends and shadows; one of its own if None.
        """
        self.config = config
        self.created = int(loaded_at)
        draws = random or Random()  # noqa: S311  # nothing secret is drawn
        self._endpoints = {model: Endpoints(entry) for model, entry in config.models.items()}

        def target(model: str, entry: Model, route: str = "", adapter: str = "") -> Target:
            return Target(model, route, entry, adapter or entry.upstream_model or model, self._endpoints[model])

        self._resolvers: dict[str, Resolver] = {}
        for model, entry in config.models.items():
            if not entry.private:
                self._resolvers[model] = ModelResolver(model, target(model, entry))
                for adapter in entry.adapters:
                    self._resolvers[adapter] = ModelResolver(adapter, target(model, entry, adapter=adapter))
        for name, route in config.routes.items():
            named = {model: target(model, config.models[model], name) for model in set(route.model_ids().values())}
            self._resolvers[name] = RouteResolver(name, route, named, draws)

    def __iter__(self) -> Iterator[str]:
        """All names that clients may use: models, each followed by its adapters, then routes."""
        return iter(self._resolvers)

    def plans(self) -> Iterator[Plan]:
        """All ways that requests may take, with all shadows that they may have."""
        return (plan for resolver in self._resolvers.values() for plan in resolver.plans())

    def targets(self) -> Iterator[Target]:
        """Where these names lead: each pair of model and route once."""
        pairs = {(target.model, target.route): target for plan in self.plans() for target in plan.targets}
        return iter(pairs.values())

    def names(self, caller: Caller, api: Api | None = None) -> list[str]:
        """The names that a caller may use, in the same order.

        Args:
            caller: Who asks.
            api: Leaves out what has no model for it; None leaves out nothing.
        """
        usable = (name for name in self._resolvers if caller.may_use(name))
        return [name for name in usable if api is None or self._resolvers[name].fits(api)]

    def endpoints(self, model: str) -> Endpoints:
        """Where a model's APIs are."""
        return self._endpoints[model]

    def latest(self, target: Target) -> Target:
        """A target of an earlier catalog, with the URL that its model has now; as it was where the model has gone."""
        entry = self.config.models.get(target.model)
        if entry is None or entry.external != target.entry.external:
            return target
        return replace(target, entry=entry, endpoints=self._endpoints[target.model])

    def resolve(self, name: str, api: Api, caller: Caller, headers: Headers, user: str) -> Plan:
        """Finds where a request goes.

        Args:
            name: The model that it asks for.
            api: The API that it comes by.
            caller: Who sends it.
            headers: Its headers, by lower-case names.
            user: The `user` of its body; empty if there is none.

        Raises:
            ApiError: 404 `model_not_found`, 403 `model_not_allowed`, or 400 `model_not_supported` if nothing behind the
                name is for the API; each names what the caller may use there.
        """
        plan = self._resolver(name, caller, api).plan(api, caller, headers, user)
        if plan is None:
            raise self._unfit(name, caller, api)
        return plan

    def check(self, name: str, caller: Caller) -> None:
        """Tells whether a caller may use a name at all.

        Raises:
            ApiError: 404 `model_not_found` or 403 `model_not_allowed`.
        """
        self._resolver(name, caller, None)

    def _resolver(self, name: str, caller: Caller, api: Api | None) -> Resolver:
        resolver = self._resolvers.get(name)
        if resolver is None:
            message = f"The model {name[:_LONGEST_NAME]!r} does not exist. {self._usable(caller, api)}"
            raise ApiError(HTTPStatus.NOT_FOUND, message, code="model_not_found", param="model")
        if not caller.may_use(name):
            message = f"This key or token may not use the model {name!r}. {self._usable(caller, api)}"
            raise ApiError(HTTPStatus.FORBIDDEN, message, code="model_not_allowed", param="model")
        return resolver

    def _unfit(self, name: str, caller: Caller, api: Api) -> ApiError:
        resolver = self._resolvers[name]
        others = [other for other in self.names(caller, api) if other != name]
        if resolver.tasks.isdisjoint(api.tasks):
            message = (
                f"The model {name!r} is for {' and '.join(sorted(resolver.tasks))}, which does not answer {api.name}. "
            )
        else:
            message = f"The model {name!r} does not have the API {api.name}. "
        message += f"Models that do: {_listed(others)}."
        return ApiError(HTTPStatus.BAD_REQUEST, message, code="model_not_supported", param="model")

    def _usable(self, caller: Caller, api: Api | None) -> str:
        if not self._resolvers:
            return "This gateway has no models yet."
        if api is None:
            return f"Models to use: {_listed(self.names(caller))}."
        return f"Models to use for {api.name}: {_listed(self.names(caller, api))}."


def _listed(names: list[str]) -> str:
    listed = ", ".join(names[:_MOST_NAMES]) or "none"
    more = len(names) - _MOST_NAMES
    return f"{listed}, and {more} more" if more > 0 else listed
