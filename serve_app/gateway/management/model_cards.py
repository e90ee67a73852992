"""What clients are told about the models they may use, and never about those that they may not."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.routing.catalog import Catalog
from serve_app.settings.gateway import Model, Route, Task


class ModelCard(BaseModel):
    """A name that clients may ask for, in OpenAI's shape with the additions that clients know from elsewhere.

    `root` and `parent` are OpenAI's for fine-tuned models; vLLM has them for adapters, too. A context's length has no
    name of OpenAI's, so it goes by both that clients read: vLLM's `max_model_len` and OpenRouter's `context_length`.
    `task` and `backends` are this gateway's own.
    """

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    root: str = Field(description="The model at the root: an adapter's base model, else the name itself.")
    parent: str | None = Field(default=None, description="The model that an adapter belongs to.")
    task: Task | None = Field(description="What it is for; null for a route to models of several tasks.")
    max_model_len: int | None = Field(description="Tokens of prompt and answer; a route's smallest; null if not known.")
    context_length: int | None = Field(description="The same.")
    backends: list[str] | None = Field(
        default=None, description="A route's: those of its models that the caller may also ask for directly."
    )


class ModelList(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class AnthropicModel(BaseModel):
    """The same as Anthropic's clients read it."""

    type: Literal["model"] = "model"
    id: str
    display_name: str
    created_at: datetime
    lifecycle: Literal["active"] = "active"
    max_input_tokens: int | None

    @classmethod
    def of(cls, card: ModelCard) -> "AnthropicModel":
        """Tells a card in this shape."""
        created_at = datetime.fromtimestamp(card.created, UTC)
        return cls(id=card.id, display_name=card.id, created_at=created_at, max_input_tokens=card.max_model_len)


class AnthropicPage(BaseModel):
    """A part of Anthropic's list."""

    data: list[AnthropicModel]
    has_more: bool
    first_id: str | None
    last_id: str | None


def cards(catalog: Catalog, caller: Caller) -> Iterator[ModelCard]:
    """The names that a caller may use: models, each followed by its adapters, then routes."""
    usable = catalog.names(caller)
    config = catalog.config
    of_adapter = {adapter: model for model, entry in config.models.items() for adapter in entry.adapters}
    for name in usable:
        if name in config.routes:
            yield _of_route(name, config.routes[name], catalog, usable)
        else:
            model = of_adapter.get(name, name)
            yield _card(name, [config.models[model]], catalog.created, root=model, parent=of_adapter.get(name))


def _of_route(name: str, route: Route, catalog: Catalog, usable: Sequence[str]) -> ModelCard:
    groups = [route.backends, *(match.backends for match in route.matches.values())]
    models = list(dict.fromkeys(model for group in groups for model, backend in group.items() if backend.weight))
    entries = [catalog.config.models[model] for model in models]
    backends = [model for model in models if model in usable]
    return _card(name, entries, catalog.created, root=name, backends=backends)


def _card(
    name: str,
    entries: Sequence[Model],
    created: int,
    *,
    root: str,
    parent: str | None = None,
    backends: list[str] | None = None,
) -> ModelCard:
    lengths = [entry.context_length for entry in entries if entry.context_length]
    length = min(lengths) if len(lengths) == len(entries) else None
    return ModelCard(
        id=name,
        created=created,
        owned_by=entries[0].owned_by,
        root=root,
        parent=parent,
        task=entries[0].task if len({entry.task for entry in entries}) == 1 else None,
        max_model_len=length,
        context_length=length,
        backends=backends,
    )
