"""A request's body as it comes from the wire: whole, within its limits of size and time."""

import asyncio
from http import HTTPStatus

from starlette.types import Receive

from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.http.body_memory import BodyShare
from serve_app.gateway.http.disconnect import DisconnectError

_CLOSE = (b"connection", b"close")


async def receive_all(
    receive: Receive, headers: Headers, most_bytes: int, seconds: float, share: BodyShare, *, arrived: bool = False
) -> bytes:
    """Reads the whole body. One that is refused is left unread, and the connection ends after the refusal.

    Args:
        receive: ASGI's receive.
        headers: The request's headers.
        most_bytes: The most bytes allowed.
        seconds: How long the client may take.
        share: Takes the bytes as they come.
        arrived: Whether all of it is there already: a timer costs more than the rest.

    Raises:
        ApiError: 413, the declared or received length is above the limit; 408, it took too long; 415, the body is
            compressed, so its size would be known only when it is too late; 503, the bodies of others fill the memory.
        DisconnectError: The client left before the end.
    """
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.lower() != b"identity":
        name = encoding.decode("latin-1")
        message = f"The body's content-encoding is {name!r}: send the body uncompressed, without that header."
        accepted = [(b"accept-encoding", b"identity")]
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, code="unsupported_encoding", headers=accepted)
    if int(headers.get(b"content-length", 0)) > most_bytes:
        raise _too_large(most_bytes)
    if arrived:
        return await _joined(receive, most_bytes, share)
    try:
        async with asyncio.timeout(seconds):
            return await _joined(receive, most_bytes, share)
    except TimeoutError as error:
        message = f"The body did not arrive in {seconds:g} s: send the request again."
        raise ApiError(HTTPStatus.REQUEST_TIMEOUT, message, code="timeout", headers=[_CLOSE]) from error


async def _joined(receive: Receive, most_bytes: int, share: BodyShare) -> bytes:
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectError
        piece: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        if share.size + len(piece) > most_bytes:
            raise _too_large(most_bytes)
        share.take(len(piece))
        pieces.append(piece)
        if not more:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(most_bytes: int) -> ApiError:
    message = f"The body is larger than {most_bytes} bytes: send less, or have the gateway's limit raised."
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, code="request_too_large")
