"""Puts the data component together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry

from serve_app.data import database
from serve_app.data.batches import router as batches_router
from serve_app.data.batches.asking import Asking
from serve_app.data.batches.records import Batches
from serve_app.data.batches.runner import Runner
from serve_app.data.embedder import Embedder
from serve_app.data.errors import StoreAwayError, handle_errors
from serve_app.data.files import router as files_router
from serve_app.data.files.content import Content
from serve_app.data.files.records import Files
from serve_app.data.ingest.ingestion import Ingestion
from serve_app.data.ingest.leases import Leases
from serve_app.data.ingest.worker import Worker
from serve_app.data.metrics import Metrics
from serve_app.data.stores import files_router as store_files_router
from serve_app.data.stores import router as stores_router
from serve_app.data.stores.documents import Documents
from serve_app.data.stores.records import Stores
from serve_app.data.stores.search import Search
from serve_app.data.vectors import VectorIndex
from serve_app.settings.data import DataConfig, DataConfigError

logger = logging.getLogger(__name__)

_EMBED_SECONDS = 660
"""More than the gateway waits for a model that starts from zero."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the component is told apart from its configuration."""

    component_token: str
    """Between the gateway and the component, on behalf of callers."""
    pipeline_token: str
    """Asked of pipelines, which search."""
    database_url: str = ""
    """Of a Postgres; empty for SQLite in the directory."""
    vectors: str = ""
    """The Milvus' token, or the Postgres' URL; empty for none, or the same Postgres."""


@asynccontextmanager
async def opened(
    config: DataConfig, secrets: Secrets, registry: CollectorRegistry, *, poll_seconds: float = 1
) -> AsyncIterator[FastAPI]:
    """The running component, its background work included.

    Args:
        config: Its configuration.
        secrets: What is not in there.
        registry: Where it counts.
        poll_seconds: Between two looks for work.

    Raises:
        DataConfigError: The configuration cannot be used.
    """
    directory = Path(config.directory)
    sqlite = f"sqlite+aiosqlite:///{directory / 'data.db'}"
    index = vector_index(config, secrets)
    metrics = Metrics(registry, index.kind)
    timeout = httpx.Timeout(_EMBED_SECONDS, connect=10)
    try:
        async with (
            database.opened(secrets.database_url or sqlite) as engine,
            httpx.AsyncClient(base_url=config.gateway_url, timeout=timeout, trust_env=False) as client,
        ):
            embedder = Embedder(client, secrets.component_token)
            files = Files(engine, Content.at(config.files.url, directory), config.files)
            stores = Stores(engine, index, config)
            await _declare(stores)
            documents = Documents(engine, files, index)
            leases = Leases(engine, config.ingest.lease_seconds)
            ingestion = Ingestion(engine, leases, files.content, index, embedder, config.ingest, metrics)
            batches = Batches(engine, config.ingest.lease_seconds)
            most = config.batches.concurrent_requests
            asking = Asking(client, secrets.component_token)
            runner = Runner(batches, files, asking, metrics, concurrency=most)
            concurrency = config.ingest.concurrency
            worker = Worker(
                leases,
                ingestion,
                stores,
                files,
                index,
                metrics,
                batches,
                runner,
                concurrency=concurrency,
                poll_seconds=poll_seconds,
            )
            app = FastAPI(title="Documents", openapi_url=None, redirect_slashes=False)
            app.state.component_token, app.state.pipeline_token = secrets.component_token, secrets.pipeline_token
            handle_errors(app)
            app.include_router(files_router.router(files, config.files.max_bytes))
            app.include_router(batches_router.router(batches, files))
            app.include_router(store_files_router.router(stores, documents, index))
            app.include_router(stores_router.router(stores, documents, Search(index, documents, embedder, metrics)))

            @app.get("/healthz", include_in_schema=False)
            async def healthy() -> PlainTextResponse:
                return PlainTextResponse("ok")

            async with worker.running():
                yield app
    finally:
        await index.close()


async def _declare(stores: Stores) -> None:
    try:
        await stores.declare()
    except StoreAwayError as error:
        logger.warning("declared stores that embed otherwise than before wait for the vectors: %s", error)


def vector_index(config: DataConfig, secrets: Secrets) -> VectorIndex:
    """What keeps the vectors, by the configuration.

    Raises:
        DataConfigError: There is no Postgres for pgvector.
    """
    vectors = config.vectors
    if vectors.kind == "milvus":
        from serve_app.data.vectors.milvus import Milvus

        return Milvus(vectors.url or f"{config.directory}/milvus.db", secrets.vectors, vectors.timeout_seconds)
    from serve_app.data.vectors.pgvector import PgVector

    url = secrets.vectors or secrets.database_url
    if not url:
        raise DataConfigError(
            "vectors.kind is pgvector, but there is no Postgres, give --vectors-secret-file or --database-url-file"
        )
    return PgVector(url, vectors.timeout_seconds)
