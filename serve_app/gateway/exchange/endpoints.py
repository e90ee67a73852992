"""Where a model's APIs are: which ones it has, on which server, and at which paths."""

from typing import NamedTuple
from urllib.parse import unquote_plus, urlencode

from yarl import URL

from serve_app.gateway.api.table import APIS, CANCEL, RETRIEVE, Api
from serve_app.settings.gateway import Model

_VERSION = "/v1"
_OF_RESPONSES = (RETRIEVE.name, CANCEL.name)


class Origin(NamedTuple):
    """A server that connections lead to."""

    host: str
    """Name or address, as a resolver takes it."""
    port: int
    tls: bool
    external: bool = False
    """Whether it is outside of the cluster, so that a proxy may lead to it."""


class Endpoint(NamedTuple):
    """Where one request goes."""

    origin: Origin
    authority: bytes
    """Value of the Host header."""
    target: bytes
    """Path and query, escaped."""

    @property
    def url(self) -> bytes:
        """The whole URL, as an HTTP proxy wants it."""
        return b"%s://%s%s" % (b"https" if self.origin.tls else b"http", self.authority, self.target)


class Endpoints:
    """The endpoints of one model.

    Those of the API table are built once for each configuration. Those with a caller's response id or query in them are
    built for each request and kept nowhere: callers could make any number of them.
    """

    __slots__ = ("_authority", "_entry", "_known", "_origin", "_root")

    def __init__(self, entry: Model) -> None:
        url = URL(entry.base_url or entry.url)
        self._entry = entry
        self._origin = Origin(url.raw_host or "", url.port or 80, url.scheme == "https", entry.external)
        self._authority = (url.host_port_subcomponent or "").encode()
        self._root = url.raw_path.rstrip("/")
        self._known = {path: self._build(path, "") for path, api in APIS.items() if has(entry, api)}

    def __contains__(self, path: str) -> bool:
        """Whether the model has the API at a path of the table."""
        return path in self._known

    def at(self, path: str, query: str = "") -> Endpoint:
        """The endpoint of a path.

        Args:
            path: The path as the API table has it, or of a stored response.
            query: The request's own query, escaped, which counts for stored responses only. The model's configured
                parameters replace those of the same name.
        """
        return self._known.get(path) or self._build(path, query)

    def _build(self, path: str, query: str) -> Endpoint:
        if self._entry.base_url:
            path = _canonical(path).removeprefix(_VERSION)
        own = self._entry.query
        if own:
            pairs = [pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in own]
            query = "&".join([*pairs, urlencode(own)])
        target = f"{self._root}{path}?{query}" if query else self._root + path
        return Endpoint(self._origin, self._authority, target.encode("latin-1"))


def has(entry: Model, api: Api) -> bool:
    """Whether a model answers an API: by its task, the list of its APIs, and its base URL, which stands for /v1."""
    if entry.task not in api.tasks:
        return False
    name = "responses" if api.name in _OF_RESPONSES else api.name
    if entry.apis is not None and name not in entry.apis:
        return False
    return not entry.base_url or api.name in _OF_RESPONSES or any(_below_version(path) for path in _paths(api))


def _canonical(path: str) -> str:
    """The path of the same API below /v1, where the table has one: /rerank and /v2/rerank are /v1/rerank."""
    api = APIS.get(path)
    return path if api is None or _below_version(path) else next(filter(_below_version, _paths(api)))


def _paths(api: Api) -> list[str]:
    return [path for path, each in APIS.items() if each is api]


def _below_version(path: str) -> bool:
    return path.startswith(f"{_VERSION}/")
