"""Where requests about stored responses go: to the model that made them, which alone has them."""

from dataclasses import replace
from http import HTTPStatus

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import Api
from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.exchange.plan import Plan, Target
from serve_app.gateway.routing.catalog import Catalog
from serve_app.gateway.stored_responses.responses import ResponseIdReader, ResponseOrigin, Responses


class StoredResponses:
    """Plans for requests that name a response."""

    def __init__(self, responses: Responses) -> None:
        self._responses = responses

    async def plan(self, response_id: str, api: Api, caller: Caller, hint: str, catalog: Catalog) -> Plan:
        """Where a request for a response goes.

        Args:
            response_id: The response's id.
            api: What is asked of it.
            caller: Who asks.
            hint: The model that the request names; needed only where the gateway did not see the response made.
            catalog: The catalog of the moment.

        Raises:
            ApiError: 404, it is not there for the caller, or its model is gone; for hints as `Catalog.resolve`.
        """
        made = await self._responses.find(response_id, caller, hint)
        if made is None:
            plan = catalog.resolve(hint, api, caller, {}, "")
            return replace(plan, targets=plan.targets[:1], shadows=())
        return _at(made, response_id, caller, catalog)

    async def following(self, previous: object, plan: Plan, caller: Caller, catalog: Catalog) -> Plan:
        """Where a request goes that goes on from a response.

        Args:
            previous: The request's `previous_response_id`.
            plan: Where it would go without.
            caller: Who asks.
            catalog: The catalog of the moment.

        Raises:
            ApiError: 404, the response is somebody else's, or its model is gone.
        """
        made = await self._responses.known(previous, caller) if isinstance(previous, str) else None
        if made is None or any(target.model == made.model for target in plan.targets[:1]):
            return replace(plan, targets=plan.targets[:1], shadows=()) if made else plan
        return _at(made, str(previous), caller, catalog)

    def reader(self, target: Target, caller: Caller, *, background: bool) -> ResponseIdReader:
        """What learns the id of a response that is being made."""
        return self._responses.reader(target.model, target.route, caller, background=background)

    async def counts(self, response_id: str, caller: Caller) -> bool:
        """Whether the tokens of a retrieved response are still to be counted."""
        return await self._responses.counts(response_id, caller)


def _at(made: ResponseOrigin, response_id: str, caller: Caller, catalog: Catalog) -> Plan:
    catalog.check(made.route or made.model, caller)  # it may have been withdrawn since
    entry = catalog.config.models.get(made.model)
    if entry is None:
        message = f"The response {response_id!r} went with its model {made.route or made.model!r}: make it anew."
        raise ApiError(HTTPStatus.NOT_FOUND, message, code="response_not_found", param="response_id")
    target = Target(made.model, made.route, entry, entry.upstream_model or made.model, catalog.endpoints(made.model))
    route = catalog.config.routes.get(made.route)
    answer_as = made.route if route is not None and route.answer_model == "route" else ""
    return Plan(made.route or made.model, made.route, (target,), answer_as=answer_as)
