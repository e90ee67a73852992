"""Errors in the shape that OpenAI's clients read, also for what upstream servers say in another shape."""

import html
import re
from collections.abc import Sequence
from http import HTTPStatus

import orjson

Header = tuple[bytes, bytes]

MAX_MESSAGE = 1000
"""Characters of a foreign text that are passed on: enough for a reason, too little for a page."""


class ApiError(Exception):
    """An answer other than success, to be told to the client in OpenAI's error shape."""

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

    def body(self) -> bytes:
        """The JSON body."""
        return error_body(self.status, self.message, code=self.code, param=self.param)


def error_body(status: int, message: str, *, code: str | None = None, param: str | None = None) -> bytes:
    """OpenAI's error object as JSON; its `type` follows from the HTTP status."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        kind = "rate_limit_error"
    else:
        kind = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"
    return orjson.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})


def normalise(status: int, body: bytes) -> bytes:
    """Turns an upstream error of any shape into OpenAI's.

    A body that has the shape already is returned as it came. Known others are vLLM's older `{"object": "error", ...}`,
    FastAPI's `{"detail": ...}`, and text or HTML from Ray Serve, HAProxy and other proxies.

    Args:
        status: The HTTP status that came with it, 400 or above.
        body: The body, whole or its beginning.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return error_body(status, _from_text(body) or _phrase(status))
    if not isinstance(content, dict):
        return error_body(status, _clip(str(content)) if content else _phrase(status))
    error = content.get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return body
    if isinstance(error, dict):
        content = error
    message = _first_text(content.get("message"), content.get("detail"), error) or _phrase(status)
    param = content.get("param")
    code = content.get("code")
    return error_body(
        status,
        message,
        param=param if isinstance(param, str) else None,
        code=code if isinstance(code, str) else None,
    )


def _first_text(*values: object) -> str:
    """The first of the values that says something, as text; understands FastAPI's list of `{"loc", "msg"}`."""
    for value in values:
        if isinstance(value, str) and value.strip():
            return _clip(value.strip())
        if isinstance(value, list):
            parts = [
                f"{'.'.join(str(part) for part in item.get('loc', []))}: {item['msg']}".removeprefix(": ")
                for item in value
                if isinstance(item, dict) and "msg" in item
            ]
            if parts:
                return _clip("; ".join(parts))
    return ""


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
