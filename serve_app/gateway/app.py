"""Puts the gateway together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from serve_app.gateway import health
from serve_app.gateway.access.auth import Authenticator
from serve_app.gateway.access.keys import watched_keys
from serve_app.gateway.access.metrics import AccessMetrics
from serve_app.gateway.apis import models, openapi
from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.config import watched_catalog
from serve_app.gateway.front import Front
from serve_app.gateway.lifecycle import Drain
from serve_app.gateway.observe.access_log import AccessLog, ByteStream
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.proxy import Proxy
from serve_app.gateway.upstream.attempt import Upstream
from serve_app.gateway.upstream.retry import DEFAULT_BACKOFF, Backoff
from serve_app.gateway.watch import poll_forever
from serve_app.settings.gateway import Team


@asynccontextmanager
async def gateway(
    *,
    config: Path,
    api_keys: Path | None,
    metrics: Metrics,
    drain: Drain,
    access_log: ByteStream,
    poll_seconds: float = 1.0,
    backoff: Backoff = DEFAULT_BACKOFF,
) -> AsyncIterator[ASGIApp]:
    """A running gateway, its connections and its watch over mounted files included.

    Args:
        config: The configuration file.
        api_keys: The directory of API keys; None lets everybody in.
        metrics: Where things are counted.
        drain: Tells whether the process is about to end.
        access_log: Where the lines for requests go.
        poll_seconds: How often the files are looked at.
        backoff: The pauses between attempts at a model.

    Raises:
        ConfigError: The configuration cannot be used.
        OSError: A file cannot be read.
    """
    catalog = watched_catalog(config, metrics)
    teams: dict[str, Team] = {}
    keys = watched_keys(api_keys, metrics, AccessMetrics(metrics.registry)) if api_keys else None
    watching = asyncio.create_task(poll_forever([catalog, keys] if keys else [catalog], poll_seconds))
    try:
        async with Upstream.connected() as upstream:
            yield Front(
                proxy=Proxy(upstream, lambda: catalog.current, metrics, backoff),
                others=_others(models.router(lambda: catalog.current), health.router(drain)),
                authenticator=Authenticator(keys, None, lambda: teams, metrics),
                metrics=metrics,
                access_log=AccessLog(access_log),
                draining=drain,
            )
    finally:
        watching.cancel()


def _others(*routers: APIRouter) -> FastAPI:
    """What is not hot: FastAPI, with its errors in OpenAI's shape."""
    app = FastAPI(openapi_url=None)
    for router in routers:
        app.include_router(router)

    @app.get("/openapi.json", include_in_schema=False)
    async def document() -> JSONResponse:
        return JSONResponse(openapi.document(app))

    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> Response:
        return Response(error.body(), error.status, media_type="application/json")

    @app.exception_handler(HTTPException)
    async def not_offered(request: Request, error: HTTPException) -> Response:
        told = ApiError(error.status_code, f"{request.method} {request.url.path}: {error.detail}.")
        return Response(told.body(), error.status_code, error.headers, "application/json")

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        told = ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "The gateway failed.")
        return Response(told.body(), told.status, media_type="application/json")

    return app
