"""Endpoints off the hot path, served by FastAPI, with errors in the shape of the caller's API."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serve_app.gateway.access.limits import Limiter
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import shape_of
from serve_app.gateway.management import health, models, openapi
from serve_app.gateway.routing.catalog import Catalog

_LONGEST_PATH = 256


def management_app(catalog: Callable[[], Catalog], limiter: Limiter, draining: Callable[[], bool]) -> FastAPI:
    """Health, the list of models, a caller's own limits, and the OpenAPI document.

    Args:
        catalog: Gets the catalog of the moment.
        limiter: Knows how callers' limits stand.
        draining: Whether the process is about to end.
    """
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.include_router(health.router(draining))
    app.include_router(models.router(catalog))

    @app.get("/v1/limits", tags=["limits"])
    async def show_limits(request: Request) -> dict[str, Any]:
        """Shows the limits of the caller's key and team, and what is left of them."""
        return await limiter.usage(request.state.caller)

    @app.get("/openapi.json", include_in_schema=False)
    async def document() -> JSONResponse:
        return JSONResponse(openapi.document(app))

    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> Response:
        return _error_response(request, error)

    @app.exception_handler(HTTPException)
    async def not_offered(request: Request, error: HTTPException) -> Response:
        path = request.url.path[:_LONGEST_PATH]
        message = f"{request.method} {path}: {error.detail}."
        if error.status_code == HTTPStatus.NOT_FOUND:
            message = f"There is no {request.method} {path}: the base URL ends with /v1, as in /v1/chat/completions."
        told = ApiError(error.status_code, message)
        answer = _error_response(request, told)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return _error_response(request, ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "The gateway failed."))

    return app


def _error_response(request: Request, error: ApiError) -> Response:
    shape = shape_of(request.url.path, dict(request.headers.raw))
    headers = {name.decode(): value.decode() for name, value in error.headers}
    return Response(error.body(shape), error.status, headers, "application/json")
