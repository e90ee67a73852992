"""Where a model's APIs are: which it has, and at which URLs."""

from collections.abc import Mapping

from yarl import URL

from serve_app.gateway.api.table import APIS, CANCEL, RETRIEVE, Api
from serve_app.settings.gateway import Model

_VERSION = "/v1"
_OF_RESPONSES = (RETRIEVE.name, CANCEL.name)


def has(entry: Model, api: Api) -> bool:
    """Whether a model answers an API: by its task, the list of its APIs, and its base URL, which stands for /v1."""
    if entry.task not in api.tasks:
        return False
    name = "responses" if api.name in _OF_RESPONSES else api.name
    if entry.apis is not None and name not in entry.apis:
        return False
    return not entry.base_url or api.name in _OF_RESPONSES or any(_below_version(path) for path in _paths(api))


def urls_of(entry: Model) -> Mapping[str, URL]:
    """Path -> URL, for the APIs of the table that a model has."""
    return {path: url(entry, path) for path, api in APIS.items() if has(entry, api) and _at(entry, path)}


def url(entry: Model, path: str, query: str = "") -> URL:
    """The URL of a path at a model.

    Args:
        entry: The model.
        path: The path as at the gateway.
        query: The request's own query, escaped; the model's parameters come after it.
    """
    place = entry.base_url + path.removeprefix(_VERSION) if entry.base_url else entry.url + path
    target = URL(f"{place}?{query}" if query else place, encoded=True)
    return target.update_query(entry.query) if entry.query else target


def _paths(api: Api) -> list[str]:
    return [path for path, each in APIS.items() if each is api]


def _below_version(path: str) -> bool:
    return path.startswith(f"{_VERSION}/")


def _at(entry: Model, path: str) -> bool:
    return not entry.base_url or _below_version(path)
