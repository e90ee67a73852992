"""A request's body: read within its limit, and asked for the one thing the gateway needs of it, the model's name."""

import asyncio
from http import HTTPStatus
from typing import Any

import orjson
from starlette.types import Receive

from serve_app.gateway.access.auth import Headers
from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.disconnect import DisconnectError

_MOST_DISCARDED = 64 * 1024 * 1024
_DISCARD_SECONDS = 10


async def read(receive: Receive, headers: Headers, limit: int) -> bytes:
    """Reads the whole body.

    Args:
        receive: ASGI's receive.
        headers: The request's headers.
        limit: The most bytes allowed.

    Raises:
        ApiError: 413, if the declared or received length is above the limit.
        DisconnectError: The client left before the end.
    """
    if int(headers.get(b"content-length", 0)) > limit:
        await discard(receive, headers)
        raise _too_large(limit)
    body = b""
    pieces: bytearray | None = None
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectError
        piece: bytes = message.get("body", b"")
        if len(body if pieces is None else pieces) + len(piece) > limit:
            if message.get("more_body", False):
                await discard(receive, headers)
            raise _too_large(limit)
        if pieces is not None:
            pieces += piece
        elif body:
            pieces = bytearray(body + piece)
        else:
            body = piece
        if not message.get("more_body", False):
            return body if pieces is None else bytes(pieces)


async def discard(receive: Receive, headers: Headers) -> None:
    """Reads and drops a body, within limits, so that its sender can read a refusal.

    A connection that is closed while bytes arrive is reset, and the reset may overtake the answer: the client would see
    a broken connection in place of a 401 or 413. A client that asks first (`expect: 100-continue`) sends nothing.

    Args:
        receive: ASGI's receive; the end of the body has not been received yet.
        headers: The request's headers.
    """
    if b"expect" in headers or int(headers.get(b"content-length", 0)) > _MOST_DISCARDED:
        return
    discarded = 0
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            while discarded <= _MOST_DISCARDED:
                message = await receive()
                discarded += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


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
