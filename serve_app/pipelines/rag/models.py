"""Asking the models that find documents: text to vector, and question and texts to scores."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from serve_app.pipelines.errors import ApiError, away
from serve_app.pipelines.service import ServiceClient
from serve_app.pipelines.tracing import Carrier

Call = Callable[[str, tuple[Any, ...]], Awaitable[dict[str, Any]]]
"""A method of a model's replica, by its name and arguments; see `serve_app.models.by_handle`."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A text's vector, and the tokens that it took."""

    vector: Sequence[float]
    tokens: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A score for each text, in their order, and the tokens that they took."""

    scores: Sequence[float]
    tokens: int


class Embedder(Protocol):
    """Makes a text's vector."""

    async def embed(self, text: str, trace: Carrier) -> Embedded:
        """The vector of a text; what is longer than the model's context is cut."""


class Scorer(Protocol):
    """Tells how well texts fit a question."""

    async def score(self, question: str, texts: Sequence[str], trace: Carrier) -> Scored:
        """A score for each text: higher fits better."""


class ByHandle:
    """A model of the same Ray cluster, asked without HTTP: a call goes to a replica as Serve's router chooses."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def embed(self, text: str, trace: Carrier) -> Embedded:
        """See `Embedder`."""
        answer = _checked(await self._call("embed_texts", ([text], dict(trace))))
        return Embedded(answer["vectors"][0], int(answer["tokens"]))

    async def score(self, question: str, texts: Sequence[str], trace: Carrier) -> Scored:
        """See `Scorer`."""
        answer = _checked(await self._call("score_texts", (question, list(texts), dict(trace))))
        return Scored(answer["scores"], int(answer["tokens"]))


class ThroughGateway:
    """A model that is elsewhere: of another cluster, without Ray, or a provider's."""

    def __init__(self, gateway: ServiceClient, model: str) -> None:
        self._gateway = gateway
        self._model = model

    async def embed(self, text: str, trace: Carrier) -> Embedded:
        """See `Embedder`; providers know no truncation, so none is asked for."""
        body = {"model": self._model, "input": [text], "encoding_format": "float"}
        async with self._gateway.post("/v1/embeddings", body, trace) as answer:
            said = await answer.json()
        return Embedded(said["data"][0]["embedding"], _tokens(said))

    async def score(self, question: str, texts: Sequence[str], trace: Carrier) -> Scored:
        """See `Scorer`."""
        body = {"model": self._model, "query": question, "documents": list(texts)}
        async with self._gateway.post("/v1/rerank", body, trace) as answer:
            said = await answer.json()
        scores = [0.0] * len(texts)
        for result in said["results"]:
            scores[result["index"]] = float(result["relevance_score"])
        return Scored(scores, _tokens(said))


def _tokens(said: dict[str, Any]) -> int:
    usage = said.get("usage") or {}
    return int(usage.get("prompt_tokens") or usage.get("total_tokens") or 0)


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    """What a replica answered; its refusals are its client's fault below 500."""
    if "error" not in answer:
        return answer
    message, status = str(answer["error"]), int(answer["status"])
    if status >= 500:  # a server error
        raise away(message, "model_failed")
    raise ApiError(status, message, code="invalid_value")
