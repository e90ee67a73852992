"""Filters on documents' attributes, as OpenAI's vector stores have them: comparisons, joined by `and` and `or`."""

from typing import Any

from serve_app.settings.errors import SettingsError

_COMPARISONS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin")
_COMPOUNDS = ("and", "or")
DEEPEST = 3
"""How deep compounds may stand in each other; the search takes 4, as a pipeline's filter and a request's are joined."""
MOST = 32
"""Comparisons of one filter; the search takes 64."""


def check_filters(filters: Any, path: str) -> None:  # noqa: ANN401 - what a client sends may be anything
    """Refuses what is no filter.

    Args:
        filters: A comparison, `{"type": "eq", "key": K, "value": V}`, or a compound, `{"type": "and", "filters": []}`.
        path: Where it stands, for the sentence.

    Raises:
        SettingsError: One sentence that names the place.
    """
    if _count(filters, path, 1) > MOST:
        raise SettingsError(f"{path} has more than {MOST} comparisons, write fewer")


def joined(*filters: dict[str, Any] | None) -> dict[str, Any] | None:
    """One filter that asks for all of those that are there; None where none is."""
    given = [each for each in filters if each]
    if len(given) < 2:
        return given[0] if given else None
    return {"type": "and", "filters": given}


def _count(filters: Any, path: str, depth: int) -> int:  # noqa: ANN401
    if not isinstance(filters, dict):
        raise SettingsError(f"{path} is no object, write it as {{type, key, value}} or {{type, filters}}")
    kind = filters.get("type")
    if kind in _COMPOUNDS:
        inner = filters.get("filters")
        if set(filters) != {"type", "filters"} or not isinstance(inner, list) or not inner:
            raise SettingsError(f"{path} of type {kind!r} has the keys type and filters, a list with at least one")
        if depth > DEEPEST:
            raise SettingsError(f"{path} is more than {DEEPEST} levels deep, write it flatter")
        return sum(_count(each, f"{path}.filters.{place}", depth + 1) for place, each in enumerate(inner))
    if kind not in _COMPARISONS:
        raise SettingsError(f"{path}.type is {kind!r}, use one of {', '.join((*_COMPARISONS, *_COMPOUNDS))}")
    _check_comparison(filters, path, kind)
    return 1


def _check_comparison(filters: dict[str, Any], path: str, kind: str) -> None:
    if set(filters) != {"type", "key", "value"} or not isinstance(filters["key"], str) or not filters["key"]:
        raise SettingsError(f"{path} of type {kind!r} has the keys type, key (an attribute's name) and value")
    value = filters["value"]
    if kind in ("in", "nin"):
        if not isinstance(value, list) or not all(isinstance(each, str | int | float) for each in value):
            raise SettingsError(f"{path}.value is for {kind!r}, which takes a list of texts or numbers")
    elif not isinstance(value, str | int | float):
        raise SettingsError(f"{path}.value is {value!r}, use a text, a number or a boolean")
