"""Refusals, each one sentence that names the setting and the remedy.

What a builder raises becomes the message in a RayService's status, so it has to stand on its own.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError


class SettingsError(ValueError):
    """A setting that cannot work; its text is the whole story."""


def nearest(name: str, names: Iterable[str], count: int = 3) -> str:
    """The names that a misspelt one may have meant, as the end of a sentence; empty where none is near."""
    near = get_close_matches(name, list(names), n=count, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Tells what pydantic refused, in one line."""
    return "; ".join(_sentence(detail["type"], detail["loc"], detail["msg"], model) for detail in error.errors())


def _sentence(kind: str, loc: tuple[int | str, ...], message: str, model: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in loc)
    if kind == "extra_forbidden":
        return f"{path} is not a setting{nearest(str(loc[-1]), _keys(model, loc[:-1]))}"
    if kind == "missing":
        return f"{path} is missing"
    message = message.removeprefix("Value error, ")
    if kind == "value_error":
        return message
    return f"{path}: {message[0].lower()}{message[1:]}"


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that are known where a refused one stands."""
    for part in loc:
        for name, field in model.model_fields.items():
            annotation = field.annotation
            if part in (name, field.alias) and isinstance(annotation, type) and issubclass(annotation, BaseModel):
                model = annotation
    return [field.alias or name for name, field in model.model_fields.items()]
