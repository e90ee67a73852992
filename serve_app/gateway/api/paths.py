"""Paths as clients have them: with slashes too many, a base URL pasted twice or without /v1, or Azure's deployments."""

import re
from typing import NamedTuple

from serve_app.gateway.api.table import APIS

_SLASHES = re.compile(r"/{2,}")
_TWICE = re.compile(r"^(/v1)+(?=/v1(/|$))")
_DEPLOYMENT = re.compile(r"^/openai/deployments/(?P<model>[^/]+)(?P<rest>/.+)$")
_AZURE = "/openai/v1/"


class Place(NamedTuple):
    """What a path means."""

    path: str
    """As the table of APIs has it."""
    model: str = ""
    """The model that the path names, as Azure's do; it counts in place of the body's."""


def place_of(path: str) -> Place:
    """Reads a request's path, unescaped.

    Double slashes and one at the end are folded, `/v1/v1` is `/v1`, and an API of `/v1` may come without it. Azure's
    `/openai/deployments/NAME/chat/completions` names the model.
    """
    if path in APIS:
        return Place(path)
    folded = _TWICE.sub("", _SLASHES.sub("/", path))
    if len(folded) > 1:
        folded = folded.removesuffix("/")
    if found := _DEPLOYMENT.match(folded):
        return Place(_versioned(found["rest"]), found["model"])
    if folded.startswith(_AZURE):
        folded = folded.removeprefix("/openai")
    return Place(_versioned(folded))


def _versioned(path: str) -> str:
    return f"/v1{path}" if path not in APIS and f"/v1{path}" in APIS else path
