"""The few top-level fields of a request's body that the gateway reads; nothing else of it becomes an object."""

import codecs
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import Api

LONGEST_MODEL = 1024
"""Bytes of JSON; a model's name is repeated in errors and logs."""
_LONGEST_TEXT = 4096
"""Bytes of JSON; longer ids and users' names are as good as none."""
_LONGEST_OPTIONS = 4096
_LONGEST_NUMBER = 32
_CHECKED_AT_ONCE = 64 * 1024
_NOTHING = msgspec.Raw(b"")
_NULL = msgspec.Raw(b"null")
_TRUE = msgspec.Raw(b"true")
_FALSE = msgspec.Raw(b"false")


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway has to know of a request. A field that only the model judges is as good as absent if wrong."""

    model: str = ""
    """The model's or route's name; empty where the API has no body."""
    stream: bool = False
    """Whether the answer is to be a stream of events."""
    stream_options: Mapping[str, Any] | None = None
    user: str = ""
    """Whom the client asks for: its `user`, or Anthropic's `metadata.user_id`."""
    previous_response_id: str = ""
    store: bool = True
    background: bool = False
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_output_tokens: int | None = None
    n: int | None = None


class _Fields(msgspec.Struct, gc=False):
    model: msgspec.Raw = _NOTHING
    stream: msgspec.Raw = _NOTHING
    stream_options: msgspec.Raw = _NOTHING
    user: msgspec.Raw = _NOTHING
    metadata: msgspec.Raw = _NOTHING
    previous_response_id: msgspec.Raw = _NOTHING
    store: msgspec.Raw = _NOTHING
    background: msgspec.Raw = _NOTHING
    max_tokens: msgspec.Raw = _NOTHING
    max_completion_tokens: msgspec.Raw = _NOTHING
    max_output_tokens: msgspec.Raw = _NOTHING
    n: msgspec.Raw = _NOTHING


class _Metadata(msgspec.Struct, gc=False):
    user_id: msgspec.Raw = _NOTHING


_decode_fields = msgspec.json.Decoder(_Fields).decode
_decode_metadata = msgspec.json.Decoder(_Metadata).decode
_decode_text = msgspec.json.Decoder(str).decode
_options = msgspec.json.Decoder(dict[str, Any] | None)
_decode_count = msgspec.json.Decoder(int, strict=False).decode


def read_envelope(raw: bytes | bytearray, api: Api) -> Envelope:
    """Reads the envelope of a JSON body, all of which is checked along the way.

    Args:
        raw: The body.
        api: What it is for; `stream` and `stream_options` matter only where that streams.

    Raises:
        ApiError: 400, it is no JSON object, or a field that the gateway needs cannot be used.
    """
    _check_text(raw)
    try:
        fields = _decode_fields(raw)
    except msgspec.ValidationError as error:
        raise bad_body("The body has to be a JSON object.") from error
    except msgspec.DecodeError as error:
        raise bad_body(f"The body is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise too_deep() from error
    streams = api.streams
    user = fields.user if api.shape != "anthropic" else _user_id(fields.metadata) if fields.metadata else None
    return Envelope(
        model=_model(fields.model),
        stream=_stream(fields.stream) if streams and fields.stream else False,
        stream_options=_stream_options(fields.stream_options) if streams and fields.stream_options else None,
        user=_text(user) if user else "",
        previous_response_id=_text(fields.previous_response_id) if fields.previous_response_id else "",
        store=fields.store != _FALSE,
        background=fields.background == _TRUE,
        max_tokens=_count(fields.max_tokens) if fields.max_tokens else None,
        max_completion_tokens=_count(fields.max_completion_tokens) if fields.max_completion_tokens else None,
        max_output_tokens=_count(fields.max_output_tokens) if fields.max_output_tokens else None,
        n=_count(fields.n) if fields.n else None,
    )


def checked_model(model: str | None) -> str:
    """The model's name, if it is one.

    Raises:
        ApiError: 400, it is absent or empty.
    """
    if model is None:
        raise bad_body("The body has no 'model': name the model that is to answer.", param="model")
    if not model or len(model) > LONGEST_MODEL:
        raise _bad_model()
    return model


def bad_body(message: str, *, param: str | None = None) -> ApiError:
    """The refusal of a body."""
    return ApiError(HTTPStatus.BAD_REQUEST, message, param=param)


def too_deep() -> ApiError:
    """The refusal of a body that takes too many levels of recursion to read."""
    return bad_body("The body is nested too deep: send it flatter.")


def _bad_model() -> ApiError:
    message = f"'model' has to be a string with a model's name, of {LONGEST_MODEL} bytes at most."
    return bad_body(message, param="model")


def _check_text(raw: bytes | bytearray) -> None:
    """Refuses what is not UTF-8, which msgspec does not look at in fields that are left alone."""
    if raw.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()  # a str of the whole would take up to four times its size
    view = memoryview(raw)
    try:
        for start in range(0, len(raw), _CHECKED_AT_ONCE):
            decoder.decode(view[start : start + _CHECKED_AT_ONCE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise bad_body("The body is not valid JSON: it is not UTF-8.") from error


def _model(raw: msgspec.Raw) -> str:
    if not raw or raw == _NULL:
        return checked_model(None)
    if _size(raw) > LONGEST_MODEL:
        raise _bad_model()
    try:
        return checked_model(_decode_text(raw))
    except msgspec.ValidationError as error:
        raise _bad_model() from error


def _stream(raw: msgspec.Raw) -> bool:
    if raw == _TRUE:
        return True
    if raw in (_FALSE, _NULL):
        return False
    raise bad_body("'stream' has to be true or false.", param="stream")


def _stream_options(raw: msgspec.Raw) -> dict[str, Any] | None:
    if _size(raw) > _LONGEST_OPTIONS:
        raise bad_body(f"'stream_options' is larger than {_LONGEST_OPTIONS} bytes: send less.", param="stream_options")
    try:
        options: dict[str, Any] | None = _options.decode(raw)
    except msgspec.DecodeError as error:
        raise bad_body("'stream_options' has to be an object.", param="stream_options") from error
    return options


def _user_id(metadata: msgspec.Raw) -> msgspec.Raw:
    try:
        return _decode_metadata(metadata).user_id
    except msgspec.ValidationError:
        return _NOTHING


def _text(raw: msgspec.Raw) -> str:
    if _size(raw) > _LONGEST_TEXT:
        return ""
    try:
        return _decode_text(raw)
    except msgspec.ValidationError:
        return ""


def _count(raw: msgspec.Raw) -> int | None:
    """A number as vLLM reads one: `"5"` and `5.0` are 5."""
    if _size(raw) > _LONGEST_NUMBER:
        return None
    try:
        return _decode_count(raw)
    except msgspec.ValidationError:
        return None


def _size(raw: msgspec.Raw) -> int:
    return memoryview(raw).nbytes
