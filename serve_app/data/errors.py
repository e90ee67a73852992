"""Errors as OpenAI's clients read them."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        """OpenAI's error object."""
        kind = "invalid_request_error" if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


class StoreAwayError(Exception):
    """What keeps vectors cannot be reached, or does not answer in time."""


def not_found(what: str, name: str) -> ApiError:
    """404, for what is not there for this caller."""
    return ApiError(
        HTTPStatus.NOT_FOUND, f"There is no {what} {name!r}: it was deleted, or is not yours.", code="not_found"
    )


def handle_errors(app: FastAPI) -> None:
    """Has an application answer errors in OpenAI's shape."""

    def respond(error: ApiError) -> JSONResponse:
        headers = {"retry-after": "5"} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else None
        return JSONResponse(error.body(), error.status, headers)

    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> JSONResponse:
        return respond(error)

    @app.exception_handler(StoreAwayError)
    async def away(request: Request, error: StoreAwayError) -> JSONResponse:
        logger.warning("%s %s: the vectors cannot be reached: %s", request.method, request.url.path[:256], error)
        message = "The database of vectors cannot be reached at the moment: try again soon."
        return respond(ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, code="vector_store_unavailable"))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        message = f"{field or 'The body'}: {first['msg'].removeprefix('Value error, ')}."
        return respond(ApiError(HTTPStatus.BAD_REQUEST, message, code="invalid_value", param=field or None))

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> JSONResponse:
        path = request.url.path[:256]
        return respond(ApiError(error.status_code, f"{request.method} {path}: {error.detail}."))
