"""The APIs that are passed to models: which path is which, and what a model must be able to do for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from serve_app.gateway.api.errors import ApiError, Shape
from serve_app.settings.gateway import Task


@dataclass(frozen=True, slots=True)
class Api:
    """One API of a model's server."""

    name: str
    """In metrics and logs."""
    tasks: frozenset[Task]
    """A model has to be for one of these."""
    shape: Shape = "openai"
    """How its clients expect errors."""
    body: Literal["json", "form", "none"] = "json"
    """What a request's body is; without one there is no model's name in the request either."""
    streams: bool = False
    """Whether a request may ask for its answer as a stream of events."""
    method: Literal["GET", "POST"] = "POST"
    takes_tokens: bool = True
    """Whether a request takes a model's tokens; otherwise it takes none, or shows what was counted before."""


def _tasks(*tasks: Task) -> frozenset[Task]:
    return frozenset(tasks)


GENERATE = _tasks("generate")
_EMBED = _tasks("embed")
_SCORE = _tasks("score")
_EITHER = _EMBED | _SCORE
"""vLLM scores with an embedding model too, by the cosine."""
_TRANSCRIBE = _tasks("transcribe")
_ALL = GENERATE | _EITHER | _TRANSCRIBE

_RERANK = Api("rerank", _EITHER)
_SCORES = Api("score", _EITHER)

APIS: Mapping[str, Api] = {
    "/v1/chat/completions": Api("chat_completions", GENERATE, streams=True),
    "/v1/completions": Api("completions", GENERATE, streams=True),
    "/v1/responses": Api("responses", GENERATE, shape="responses", streams=True),
    "/v1/messages": Api("messages", GENERATE, shape="anthropic", streams=True),
    "/v1/messages/count_tokens": Api("count_tokens", GENERATE, shape="anthropic", takes_tokens=False),
    "/v1/embeddings": Api("embeddings", _EMBED),
    "/v2/embed": Api("embed", _EMBED),
    "/rerank": _RERANK,
    "/v1/rerank": _RERANK,
    "/v2/rerank": _RERANK,
    "/score": _SCORES,
    "/v1/score": _SCORES,
    "/classify": Api("classify", _SCORE),
    "/pooling": Api("pooling", _EITHER),
    "/v1/audio/transcriptions": Api("transcriptions", _TRANSCRIBE, body="form", streams=True),
    "/v1/audio/translations": Api("translations", _TRANSCRIBE, body="form", streams=True),
    "/tokenize": Api("tokenize", _ALL, takes_tokens=False),
    "/detokenize": Api("detokenize", _ALL, takes_tokens=False),
}
"""Path -> API, as at the model's own server; all are POST."""

RETRIEVE = Api("responses_retrieve", GENERATE, shape="responses", body="none", method="GET", takes_tokens=False)
CANCEL = Api("responses_cancel", GENERATE, shape="responses", body="none", takes_tokens=False)

ALL_APIS = (*dict.fromkeys(APIS.values()), RETRIEVE, CANCEL)
"""Each API once."""

RESPONSE_ID = r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,255}"
"""Pattern of what follows `/v1/responses/`: nothing that leads to another path at the model."""

FILES = Api("files", frozenset(), takes_tokens=False)
VECTOR_STORES = Api("vector_stores", frozenset(), takes_tokens=False)
BATCHES = Api("batches", frozenset(), takes_tokens=False)
_OF_DATA = {"files": FILES, "vector_stores": VECTOR_STORES, "batches": BATCHES}
_DATA = re.compile(r"/v1/(files|vector_stores|batches)(?:/[A-Za-z0-9][A-Za-z0-9_.-]{0,127}){0,5}")
"""Paths of the data component: nothing in them leads elsewhere."""

_OTHERS = frozenset(("/v1/models", "/v1/limits", "/openapi.json"))
_RESPONSES = "/v1/responses/"
_OF_RESPONSE = re.compile(f"{_RESPONSES}({RESPONSE_ID})(/cancel)?")


def find(method: str, path: str) -> Api | None:
    """The API of a request; None for what is not passed to models.

    Raises:
        ApiError: 405, which names the method that the path takes.
    """
    api = APIS.get(path)
    if api is None:
        if not path.startswith(_RESPONSES):
            return None
        api = _of_response(path)
    if api is not None and method != api.method:
        allow = [(b"allow", api.method.encode())]
        raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {api.method} only.", headers=allow)
    return api


def of_data(path: str) -> Api | None:
    """The API of a path that the data component answers; None for all others."""
    found = _DATA.fullmatch(path)
    return None if found is None else _OF_DATA[found[1]]


def _of_response(path: str) -> Api | None:
    found = _OF_RESPONSE.fullmatch(path)
    return None if found is None else CANCEL if found[2] else RETRIEVE


def response_id(path: str) -> str:
    """The id in a path of `RETRIEVE` or `CANCEL`."""
    return path.removeprefix(_RESPONSES).partition("/")[0]


def template_of(path: str) -> str:
    """The path without what a caller chose of it, for traces: one of a few."""
    if path in APIS or path in _OTHERS:
        return path
    if found := _OF_RESPONSE.fullmatch(path):
        return f"{_RESPONSES}{{response_id}}{found[2] or ''}"
    if found := _DATA.fullmatch(path):
        return f"/v1/{found[1]}"
    return "/v1/models/{model}" if path.startswith("/v1/models/") else "/"


def shape_of(path: str, headers: Mapping[bytes, bytes]) -> Shape:
    """The shape of errors for a request, also for one that no API takes: Anthropic's clients can be told by a header.

    Args:
        path: The request's path.
        headers: Lower-case names -> values.
    """
    api = APIS.get(path)
    if api is not None:
        return api.shape
    if b"anthropic-version" in headers:
        return "anthropic"
    return "responses" if path.startswith(_RESPONSES) else "openai"
