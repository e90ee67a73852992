"""Errors in the shape that the caller's API has for them, also for what upstream servers say in another shape."""

import html
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

import orjson

Header = tuple[bytes, bytes]
Headers = Mapping[bytes, bytes]
"""A request's headers: lower-case names -> values."""

Shape = Literal["openai", "responses", "anthropic"]
"""Whose clients read the error. `responses` is OpenAI's too, and differs only as an event in a stream."""

MAX_MESSAGE = 1000
"""Characters of a foreign text that are passed on: enough for a reason, too little for a page."""

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
    shape: Shape = "openai",
    request_id: str = "",
) -> bytes:
    """An error object as JSON; its `type` follows from the HTTP status."""
    if shape == "anthropic":
        told = {"type": _anthropic_type(status), "message": message}
        return orjson.dumps({"type": "error", "error": told, "request_id": request_id or None})
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = "rate_limit_error"
    else:
        kind = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
    return orjson.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})


def event(body: bytes, shape: Shape = "openai") -> bytes:
    """An error's JSON body as a server-sent event, in the form that official clients raise as an exception.

    OpenAI's raise whatever has `error` in its data, also in streams of the responses API, whose own error event has its
    texts at the top level: it gets both. Anthropic's raise what is called `error`.

    Args:
        body: From `error_body` or `normalise`, for the same shape.
        shape: Whose clients read it.
    """
    content = orjson.loads(body)
    if shape == "responses":
        error = content["error"]
        own = {name: error.get(name) for name in ("code", "message", "param")}
        content = {"type": "error", "sequence_number": 0, **own, "error": error}
    data = b"data: " + orjson.dumps(content) + b"\n\n"
    return data if shape == "openai" else b"event: error\n" + data


def normalise(status: int, body: bytes, shape: Shape = "openai", request_id: str = "") -> bytes:
    """Turns an upstream error of any shape into the caller's.

    A body that has the shape already is returned as it came. Known others are OpenAI's where Anthropic's is wanted and
    the other way round, vLLM's older `{"object": "error", ...}`, FastAPI's `{"detail": ...}`, and text or HTML from Ray
    Serve, HAProxy and other proxies.

    Args:
        status: The HTTP status that came with it, 400 or above.
        body: The body, whole or its beginning.
        shape: The caller's.
        request_id: For Anthropic's shape, which has it in the body.
    """
    param = code = None
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        message = _from_text(body)
    else:
        if not isinstance(content, dict):
            message = _clip(str(content)) if content else ""
        elif _has_shape(content, shape):
            return body
        else:
            error = content.get("error")
            told = error if isinstance(error, dict) else content
            message = _first_text(told.get("message"), told.get("detail"), error)
            param, code = told.get("param"), told.get("code")
    return error_body(
        status,
        message or _phrase(status),
        param=param if isinstance(param, str) else None,
        code=code if isinstance(code, str) else None,
        shape=shape,
        request_id=request_id,
    )


def _has_shape(content: dict[str, Any], shape: Shape) -> bool:
    error = content.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return False
    # vLLM calls Anthropic's types by names of its own, which no client of Anthropic's knows.
    return shape != "anthropic" or (content.get("type") == "error" and error.get("type") in ANTHROPIC_TYPES)


def _anthropic_type(status: int) -> str:
    other = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "api_error"
    return _ANTHROPIC_TYPE.get(status, other)


def _first_text(*values: object) -> str:
    """The first of the values that says something, as text; understands FastAPI's list of `{"loc", "msg"}`."""
    for value in values:
        if isinstance(value, str) and value.strip():
            return _clip(value.strip())
        if isinstance(value, list):
            parts = [
                f"{_place(item.get('loc'))}: {item['msg']}".removeprefix(": ")
                for item in value
                if isinstance(item, dict) and "msg" in item
            ]
            if parts:
                return _clip("; ".join(parts))
    return ""


def _place(loc: object) -> str:
    return ".".join(str(part) for part in loc) if isinstance(loc, list) else ""


def _from_text(body: bytes) -> str:
    """Readable text of a plain or HTML body: no markup, one line."""
    text = body.decode("utf-8", "replace")
    if "<html" in text[:500].lower() or "<!doctype" in text[:500].lower():
        text = re.sub(r"(?is)<(script|style|title)\b.*?</\1>", " ", text)
        text = html.unescape(re.sub(r"<[^>]+>", " ", text))
    return _clip(" ".join(text.split()))


def _clip(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP status {status}"
