"""What is said to a client whose request cannot be read, in OpenAI's shape: which API it asks is not known."""

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from serve_app.gateway.api.errors import error_body
from serve_app.gateway.http.request_id import new_request_id

MOST_HEAD_BYTES = 64 * 1024
"""Of path, query and headers together; the usual servers allow 8 to 64 KiB."""
MOST_HEADERS = 256
"""Each takes several times its bytes as an object."""
HEAD_SECONDS = 60.0
"""For a head to arrive, and for the first one on a new connection to begin."""
_HEAD = b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %s\r\nconnection: close\r\n\r\n"
_MESSAGES = {
    HTTPStatus.SERVICE_UNAVAILABLE: "The gateway has as many connections or heads of requests as it may: retry later.",
    HTTPStatus.BAD_REQUEST: "This is not a valid HTTP request.",
    HTTPStatus.REQUEST_TIMEOUT: f"The request's headers did not arrive in {HEAD_SECONDS:g} s: send it again.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        f"The request has more than {MOST_HEAD_BYTES} bytes of path and headers, or more than {MOST_HEADERS} headers: "
        "send less in them."
    ),
}


def refusal(status: HTTPStatus) -> bytes:
    """A whole response, after which the connection ends.

    Args:
        status: One that can be the matter before a request is read: 400, 408, 431 or 503.
    """
    body = error_body(status, _MESSAGES[status])
    return STATUS_LINE[status] + _HEAD % (len(body), new_request_id()) + body
