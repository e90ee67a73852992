"""GET /v1/models and /v1/models/{id}, in OpenAI's shape, from the configuration."""

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from serve_app.gateway.routing.catalog import Catalog


class ModelCard(BaseModel):
    """A name that clients may ask for: a model's or a route's."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


def router(catalog: Callable[[], Catalog]) -> APIRouter:
    """The two handlers.

    Args:
        catalog: Gets the catalog of the moment.
    """
    routes = APIRouter(prefix="/v1", tags=["models"])

    def card(source: Catalog, name: str) -> ModelCard:
        return ModelCard(id=name, created=source.created, owned_by=source.owner(name))

    @routes.get("/models")
    async def list_models() -> ModelList:
        """Lists the names that `model` may have."""
        now = catalog()
        return ModelList(data=[card(now, name) for name in now])

    @routes.get("/models/{name:path}")
    async def show_model(name: str) -> ModelCard:
        """Shows one of them; ids may hold slashes."""
        now = catalog()
        now.resolve(name)
        return card(now, name)

    return routes
