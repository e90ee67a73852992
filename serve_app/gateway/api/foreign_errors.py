"""Errors of upstream servers, turned into the exact shape of the caller's API."""

import re
from http import HTTPStatus
from typing import NamedTuple

import orjson

from serve_app.gateway.api.context_length import ContextOverflow
from serve_app.gateway.api.engine_flags import with_keys
from serve_app.gateway.api.errors import ANTHROPIC_TYPES, Shape, error_body
from serve_app.gateway.api.foreign_text import cut_message, page_text
from serve_app.gateway.api.validation_errors import Complaints, field_of, from_list, from_text, name_of, split_path

MAX_MESSAGE = 1000
"""Characters of a foreign text that are passed on: enough for a reason, too little for a page."""
_LONGEST_READ = 8 * 1024
"""Characters of a message in which its meaning is looked for."""

_OPENAI_TYPE = re.compile(r"[a-z]+(?:_[a-z]+)*")
"""OpenAI's types look like this; vLLM's are `BadRequestError` and `Bad Request`."""
_PARAMETER = "(parameter="
"""vLLM appends `(parameter=NAME, value=VALUE)`: the name is in `param` too, and the value is the client's own."""
_UNKNOWN_MODEL = re.compile(r"The model `.*` does not exist\.", re.DOTALL)
_NO_FIELDS = frozenset(("input_tokens", "input_text"))
"""What vLLM calls a prompt that is too long in `param`; no client has sent it."""


class _Parsed(NamedTuple):
    """The parts of an error."""

    message: str = ""
    code: str | None = None
    kind: str | None = None
    param: str = ""
    complaints: Complaints | None = None


def normalise(
    status: int, body: bytes, shape: Shape = "openai", request_id: str = "", *, external: bool = False
) -> bytes:
    """Turns an upstream error of any shape into the caller's; a body that has the shape already is returned as it came.

    Known others are vLLM's (OpenAI's with types of its own and the status as `code`), OpenAI's where Anthropic's is
    wanted and the other way round, FastAPI's `{"detail": ...}`, and text or HTML from Ray Serve, HAProxy and others.

    Args:
        status: The HTTP status that came with it, 400 or above.
        body: The body, whole or its beginning.
        shape: The caller's.
        request_id: For Anthropic's shape, which has it in the body.
        external: Whether the server is none of the stack's, so that the chart has no keys for its flags.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = _of_message(cut_message(body) if body.lstrip()[:1] in (b"{", b"[") else page_text(body))
    else:
        if _has_shape(content, shape):
            return body
        parsed = _of_content(content)
    dotted = shape == "anthropic"
    message, code, param = parsed.message, parsed.code, parsed.param
    if param:
        param = "" if param in _NO_FIELDS else name_of(field_of(split_path(param)), dotted=dotted)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        message = message if parsed.complaints is None else ""  # of the server's own objects, not of the request
    elif parsed.complaints is not None:
        message = parsed.complaints.sentence(dotted=dotted)
        param = param or name_of(parsed.complaints.first[0].field, dotted=dotted)
    else:
        if message.endswith(")"):
            message = message.partition(_PARAMETER)[0].rstrip()
        if overflow := ContextOverflow.found_in(message):
            code = code or "context_length_exceeded"
            param = "input" if shape == "responses" else ""
            message = overflow.for_anthropic(message) if dotted else message
        elif not external:
            message = with_keys(message)
    if status == HTTPStatus.NOT_FOUND and _UNKNOWN_MODEL.fullmatch(message):
        code = code or "model_not_found"
    if dotted:
        message = message.replace("max_completion_tokens", "max_tokens")  # vLLM's word for it, inside
    return error_body(
        status,
        _clip(message) or _phrase(status),
        code=code,
        param=param or None,
        kind=parsed.kind,
        shape=shape,
        request_id=request_id,
    )


def _has_shape(content: object, shape: Shape) -> bool:
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict) or not isinstance(message := error.get("message"), str):
        return False
    if len(message) > MAX_MESSAGE or not isinstance(kind := error.get("type"), str):
        return False
    if shape == "anthropic":
        return isinstance(content, dict) and content.get("type") == "error" and kind in ANTHROPIC_TYPES
    texts = all(name in error and isinstance(error[name], str | None) for name in ("code", "param"))
    return texts and _OPENAI_TYPE.fullmatch(kind) is not None


def _of_content(content: object) -> _Parsed:
    if isinstance(content, list) and content and isinstance(content[0], dict):
        content = content[0]  # Google's
    if not isinstance(content, dict):
        return _Parsed(str(content) if content else "")
    error = content.get("error")
    fields = error if isinstance(error, dict) else content
    for value in (fields.get("message"), fields.get("detail"), error):
        if isinstance(value, list) and (complaints := from_list(value)):
            return _Parsed(complaints=complaints)
        if isinstance(value, str) and value.strip():
            code, kind, param = (_text(fields.get(name)) for name in ("code", "type", "param"))
            is_openais = kind not in ANTHROPIC_TYPES and _OPENAI_TYPE.fullmatch(kind)
            return _of_message(value)._replace(
                code=None if code.isdecimal() else code or None, kind=kind if is_openais else None, param=param
            )
    return _Parsed()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _of_message(message: str) -> _Parsed:
    return _Parsed(message.strip()[:_LONGEST_READ], complaints=from_text(message))


def _clip(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP status {status}"
