"""The APIs that are passed to models: which path is which, and what a model must be able to do for it."""

from dataclasses import dataclass
from typing import Literal

from serve_app.settings.gateway import Task

Shape = Literal["openai", "anthropic"]


@dataclass(frozen=True, slots=True)
class Api:
    """One API of a model's server."""

    name: str
    """In metrics and logs."""
    tasks: frozenset[Task]
    """A model has to be for one of these."""
    shape: Shape = "openai"
    """How its clients expect errors."""
    body: Literal["json", "form"] = "json"


GENERATE: frozenset[Task] = frozenset(("generate",))

APIS: dict[str, Api] = {
    "/v1/chat/completions": Api("chat_completions", GENERATE),
    "/v1/completions": Api("completions", GENERATE),
}
"""Path -> API; all are POST."""
