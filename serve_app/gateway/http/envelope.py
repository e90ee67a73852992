"""The few fields of a JSON body that the gateway reads: decoded without building the rest.

A body of 10 MB may hold millions of small objects, which as Python's own would take hundreds of megabytes. msgspec
skips what is not asked for (10 MB in 30 ms, a small body in 0.4 µs), and numbers, spaces and escapes stay as they came.
"""

import codecs
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Raw

from serve_app.gateway.api.errors import ApiError

_NOTHING = Raw(b"")
_LARGEST_FIELD = 16 * 1024
"""Bytes of a field that is decoded; none of those that the gateway reads is as long."""
_CHECKED_AT_ONCE = 64 * 1024


class Envelope(msgspec.Struct):
    """The fields, undecoded where any type is let through to the model."""

    model: str | None = None
    stream: bool | None = None
    stream_options: Raw = _NOTHING
    user: Raw = _NOTHING
    metadata: Raw = _NOTHING
    previous_response_id: Raw = _NOTHING
    store: Raw = _NOTHING
    background: Raw = _NOTHING
    max_tokens: Raw = _NOTHING
    max_completion_tokens: Raw = _NOTHING
    max_output_tokens: Raw = _NOTHING
    n: Raw = _NOTHING

    def value(self, name: str) -> Any:  # noqa: ANN401  # any JSON
        """A field's value; None where it is missing, null, or longer than any that the gateway can use."""
        raw = getattr(self, name)
        if raw is _NOTHING:
            return None
        return msgspec.json.decode(raw) if isinstance(raw, Raw) else raw


class _WithoutStream(msgspec.Struct, frozen=True):
    """The same for APIs that never stream, where `stream` is nobody's business."""

    model: str | None = None
    user: Raw = _NOTHING


_UNDECODED = tuple(name for name in Envelope.__struct_fields__ if name not in {"model", "stream"})
_DECODER = msgspec.json.Decoder(Envelope)
_DECODER_WITHOUT_STREAM = msgspec.json.Decoder(_WithoutStream)


def envelope_of(raw: bytes, *, streams: bool) -> Envelope:
    """Reads the fields.

    Args:
        raw: The body.
        streams: Whether the API has streams, so that `stream` counts.

    Raises:
        ApiError: 400, it is not a JSON object, or a field is not what it has to be.
    """
    _check_text(raw)
    try:
        if streams:
            envelope = _DECODER.decode(raw)
        else:
            small = _DECODER_WITHOUT_STREAM.decode(raw)
            envelope = Envelope(model=small.model, user=small.user)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"The body is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise bad_request("The body is nested too deeply: send it flatter.") from error
    options = memoryview(envelope.stream_options)
    if options.nbytes and bytes(options[:1]) not in (b"{", b"n"):
        raise bad_request("'stream_options' has to be an object.", param="stream_options")
    if options.nbytes > _LARGEST_FIELD:
        raise bad_request("'stream_options' is too long: send what the API knows.", param="stream_options")
    _own(envelope)
    return envelope


def _check_text(raw: bytes) -> None:
    """Refuses what is not UTF-8, which msgspec does not see in fields that it skips.

    Piece by piece: a str of the whole would take up to four times its size.
    """
    if raw.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(raw)
    try:
        for start in range(0, len(raw), _CHECKED_AT_ONCE):
            decoder.decode(view[start : start + _CHECKED_AT_ONCE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise bad_request("The body is not valid JSON: it is not UTF-8.") from error


def _own(envelope: Envelope) -> None:
    """Makes the fields copies: as views they would keep all of the body until the envelope is gone."""
    for name in _UNDECODED:
        field: Raw = getattr(envelope, name)
        if field is not _NOTHING:
            setattr(envelope, name, field.copy() if memoryview(field).nbytes <= _LARGEST_FIELD else _NOTHING)


def _refusal(detail: str) -> ApiError:
    if "`$.model`" in detail:
        return bad_request("'model' has to be a string with a model's name.", param="model")
    if "`$.stream`" in detail:
        return bad_request("'stream' has to be true or false.", param="stream")
    return bad_request("The body has to be a JSON object.")


def bad_request(message: str, *, param: str | None = None) -> ApiError:
    """A 400."""
    return ApiError(HTTPStatus.BAD_REQUEST, message, param=param)
