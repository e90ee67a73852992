"""Errors in the shape that the caller's API has for them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Literal

import orjson

Header = tuple[bytes, bytes]
Headers = Mapping[bytes, bytes]
"""A request's headers: lower-case names -> values."""

Shape = Literal["openai", "responses", "anthropic"]
"""Whose clients read the error. `responses` is OpenAI's too, and differs only as an event in a stream."""

_ANTHROPIC_TYPE = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
ANTHROPIC_TYPES = frozenset(("invalid_request_error", *_ANTHROPIC_TYPE.values()))


class ApiError(Exception):
    """An answer other than success, to be told to the client in its API's error shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Sequence[Header] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = list(headers)

    def body(self, shape: Shape = "openai", request_id: str = "") -> bytes:
        """The JSON body; Anthropic's has the request's id in it."""
        return error_body(
            self.status, self.message, code=self.code, param=self.param, shape=shape, request_id=request_id
        )

    def event(self, shape: Shape = "openai", request_id: str = "") -> bytes:
        """The same as an event of a stream that has begun."""
        return event(self.body(shape, request_id), shape)


def error_body(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    kind: str | None = None,
    shape: Shape = "openai",
    request_id: str = "",
) -> bytes:
    """An error object as JSON.

    Args:
        status: The HTTP status; the error's `type` follows from it.
        message: What is wrong.
        code: OpenAI's `code`, for programs.
        param: OpenAI's `param`, the field that is wrong.
        kind: OpenAI's `type`, where it says more than the status.
        shape: The caller's.
        request_id: For Anthropic's shape, which has it in the body.
    """
    if shape == "anthropic":
        error = {"type": _anthropic_type(status), "message": message}
        return orjson.dumps({"type": "error", "error": error, "request_id": request_id or None})
    return orjson.dumps(
        {"error": {"message": message, "type": kind or _openai_type(status), "param": param, "code": code}}
    )


def event(body: bytes, shape: Shape = "openai") -> bytes:
    """An error's JSON body as a server-sent event, in the form that official clients raise as an exception.

    OpenAI's raise whatever has `error` in its data, also in streams of the responses API, whose own error event has its
    texts at the top level: it gets both. Anthropic's raise what is called `error`.

    Args:
        body: An error of the same shape.
        shape: Whose clients read it.
    """
    content = orjson.loads(body)
    if shape == "responses":
        error = content["error"]
        own = {name: error.get(name) for name in ("code", "message", "param")}
        content = {"type": "error", "sequence_number": 0, **own, "error": error}
    data = b"data: " + orjson.dumps(content) + b"\n\n"
    return data if shape == "openai" else b"event: error\n" + data


def _openai_type(status: int) -> str:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit_error"
    return "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"


def _anthropic_type(status: int) -> str:
    other = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "api_error"
    return _ANTHROPIC_TYPE.get(status, other)
