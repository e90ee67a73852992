"""A request's body: read within its limit, and asked for the one thing the gateway needs of it, the model's name."""

from http import HTTPStatus
from typing import Any

import orjson
from starlette.types import Receive

from serve_app.gateway.disconnect import DisconnectError
from serve_app.gateway.errors import ApiError


async def read(receive: Receive, declared: bytes | None, limit: int) -> bytes:
    """Reads the whole body.

    Args:
        receive: ASGI's receive.
        declared: The value of `content-length`; None for a chunked body.
        limit: The most bytes allowed.

    Raises:
        ApiError: 413, as soon as the declared or received length is above the limit.
        DisconnectError: The client left before the end.
    """
    if declared is not None and int(declared) > limit:
        raise _too_large(limit)
    body = b""
    pieces: bytearray | None = None
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectError
        piece: bytes = message.get("body", b"")
        if len(body if pieces is None else pieces) + len(piece) > limit:
            raise _too_large(limit)
        if pieces is not None:
            pieces += piece
        elif body:
            pieces = bytearray(body + piece)
        else:
            body = piece
        if not message.get("more_body", False):
            return body if pieces is None else bytes(pieces)


def parse(body: bytes) -> tuple[dict[str, Any], str]:
    """Reads the JSON of a body and the model's name in it.

    Raises:
        ApiError: 400, if it is not a JSON object whose `model` is a string.
    """
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _bad(f"The body is not valid JSON: {error}.") from error
    if not isinstance(payload, dict):
        raise _bad("The body has to be a JSON object.")
    if "model" not in payload:
        raise _bad("The body has no 'model': name the model that is to answer.", param="model")
    model = payload["model"]
    if not isinstance(model, str):
        raise _bad("'model' has to be a string.", param="model")
    return payload, model


def _bad(message: str, *, param: str | None = None) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message, param=param)


def _too_large(limit: int) -> ApiError:
    message = f"The body is larger than {limit} bytes."
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, code="request_too_large")
