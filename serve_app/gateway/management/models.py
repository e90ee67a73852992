"""GET /v1/models and /v1/models/{id}, from the configuration; in OpenAI's shape, or in Anthropic's for its clients."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.gateway.management.model_cards import AnthropicModel, AnthropicPage, ModelCard, ModelList, cards
from serve_app.gateway.routing.catalog import Catalog

_LARGEST_PAGE = 1000

Version = Annotated[str, Header(alias="anthropic-version", description="Sent by Anthropic's clients.")]


def router(catalog: Callable[[], Catalog]) -> APIRouter:
    """The two handlers.

    They tell a caller of the names that it may use. Who calls is in `scope["state"]["caller"]`.

    Args:
        catalog: Gets the catalog of the moment.
    """
    routes = APIRouter(prefix="/v1", tags=["models"])

    @routes.get("/models")
    async def list_models(
        request: Request,
        anthropic_version: Version = "",
        after_id: Annotated[str, Query(description="Anthropic's: the page after this model.")] = "",
        before_id: Annotated[str, Query(description="Anthropic's: the page before this model.")] = "",
        limit: Annotated[str, Query(description="Anthropic's: models on a page, 1 to 1000.")] = "20",
    ) -> ModelList | AnthropicPage:
        """Lists the names that `model` may have."""
        now = catalog()
        caller = _caller(request)
        listed = list(cards(now, caller))
        if not anthropic_version:
            return ModelList(data=listed)
        usable = now.names(caller, APIS["/v1/messages"])  # its clients ask for messages only
        models = [AnthropicModel.of(card) for card in listed if card.id in usable]
        return _page(models, after_id, before_id, _page_size(limit))

    @routes.get("/models/{name:path}")
    async def show_model(request: Request, name: str, anthropic_version: Version = "") -> ModelCard | AnthropicModel:
        """Shows one of them; ids may hold slashes."""
        now = catalog()
        caller = _caller(request)
        now.check(name, caller)
        card = next(card for card in cards(now, caller) if card.id == name)
        return AnthropicModel.of(card) if anthropic_version else card

    return routes


def _caller(request: Request) -> Caller:
    caller: Caller = getattr(request.state, "caller", ANYBODY)
    return caller


def _page_size(limit: str) -> int:
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:5]) <= _LARGEST_PAGE:
        message = f"limit is {limit[:20]!r}: it has to be a number from 1 to {_LARGEST_PAGE}."
        raise ApiError(HTTPStatus.BAD_REQUEST, message, param="limit")
    return int(limit)


def _page(models: Sequence[AnthropicModel], after_id: str, before_id: str, limit: int) -> AnthropicPage:
    """A page of the list, as https://docs.anthropic.com/en/api/models-list has it."""
    rest = list(models)
    if after_id:
        rest = rest[_place(models, after_id, "after_id") + 1 :]
    if before_id:
        rest = rest[: _place(rest, before_id, "before_id")]
    data = rest[-limit:] if before_id else rest[:limit]
    return AnthropicPage(
        data=data,
        has_more=len(rest) > limit,
        first_id=data[0].id if data else None,
        last_id=data[-1].id if data else None,
    )


def _place(models: Sequence[AnthropicModel], name: str, param: str) -> int:
    for place, model in enumerate(models):
        if model.id == name:
            return place
    raise ApiError(HTTPStatus.BAD_REQUEST, f"{param} is {name!r}, which is not in the list.", param=param)
