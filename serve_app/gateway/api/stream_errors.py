"""Errors that an upstream server sends inside a stream, which has begun as a success."""

from http import HTTPStatus
from typing import NamedTuple

import orjson

from serve_app.gateway.api.errors import Shape, event
from serve_app.gateway.api.foreign_errors import normalise


class StreamError(NamedTuple):
    """An error in a stream."""

    status: int
    """The HTTP status that the response would have had."""
    event: bytes
    """The error as an event in the caller's shape."""


def stream_error(data: bytes, shape: Shape, request_id: str = "", *, external: bool = False) -> StreamError | None:
    """Reads an event's data; None if it is no error.

    Args:
        data: Of the event, without its field name.
        shape: The caller's.
        request_id: See `normalise`.
        external: See `normalise`.
    """
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(content, dict) or not isinstance(error := content.get("error"), dict):
        return None
    code = error.get("code")
    status = code if isinstance(code, int) and 400 <= code <= 599 else int(HTTPStatus.INTERNAL_SERVER_ERROR)
    return StreamError(status, event(normalise(status, data, shape, request_id, external=external), shape))
