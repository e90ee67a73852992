"""The deployments of a RAG pipeline: each replica is one of these, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray.serve.handle import DeploymentHandle

from serve_app.pipelines.app import create_app
from serve_app.pipelines.errors import ApiError, away
from serve_app.pipelines.generator import CODE, Generator
from serve_app.pipelines.handles import ModelHandle, call, logger
from serve_app.pipelines.measures import RayMeasures
from serve_app.pipelines.rag.answering import Answering
from serve_app.pipelines.rag.apis import apis
from serve_app.pipelines.rag.models import ByHandle, ThroughGateway
from serve_app.pipelines.rag.retriever import Retriever
from serve_app.pipelines.rag.search import AWAY, StoreSearch
from serve_app.pipelines.rag.source import Query, Retrieved
from serve_app.pipelines.service import ServiceClient
from serve_app.pipelines.tracing import Tracing
from serve_app.settings.pipeline import Asked, RagSettings

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class RetrieverPart:
    """Finds documents. Its calls are short, so a few replicas do for many streams."""

    def __init__(self, args: dict[str, Any]) -> None:
        """Takes the pipeline's settings, as the chart renders them."""
        settings = RagSettings.parse(args)
        gateway = _gateway(settings)
        store = ServiceClient(settings.data, "The store of documents", code=AWAY)
        self._retriever = Retriever(
            settings,
            embedder=_model(settings.embed, gateway),
            search=StoreSearch(store, settings.store, hybrid=settings.hybrid),
            scorer=_model(settings.rerank, gateway) if settings.rerank else None,
            tracing=Tracing.of(settings.tracing, settings.pipeline_id),
            measures=RayMeasures(),
        )

    async def retrieve(self, query: Query) -> Retrieved | ApiError:
        """The best sources, or what to tell the client; Serve would log an exception with its traceback."""
        try:
            return await self._retriever(query)
        except ApiError as error:
            return error


class IngressPart:
    """Answers clients. It holds a request for as long as its answer streams."""

    def __init__(self, args: dict[str, Any], retriever: DeploymentHandle) -> None:
        """Takes the pipeline's settings, and the other part."""
        settings = RagSettings.parse(args)
        self._handle = retriever
        self._answering = Answering(
            settings,
            retrieve=self._retrieve,
            generator=Generator(_gateway(settings), settings.generate),
            tracing=Tracing.of(settings.tracing, settings.pipeline_id),
        )

    async def _retrieve(self, query: Query) -> Retrieved:
        try:
            found: Retrieved | ApiError = await call(self._handle, "retrieve", (query,))
        except Exception as error:
            logger.warning("retriever: %r", error)
            raise away("The search for documents is overloaded or away, try again.", "retriever_unavailable") from error
        if isinstance(found, ApiError):
            raise found
        return found

    async def __serve_build_asgi_app__(self) -> ASGIApp:
        """The pipeline's HTTP."""
        return create_app(apis(self._answering), self._answering.tracing)


def _gateway(settings: RagSettings) -> ServiceClient:
    """No key is called like this one, so no client's limits count its work a second time."""
    return ServiceClient(settings.gateway, "The generating model", code=CODE, caller=f"pipeline:{settings.pipeline_id}")


def _model(asked: Asked, gateway: ServiceClient) -> ByHandle | ThroughGateway:
    """By handle where the model is of this cluster, which spares HTTP and the gateway's queue."""
    return ByHandle(ModelHandle(asked.application)) if asked.application else ThroughGateway(gateway, asked.model)
