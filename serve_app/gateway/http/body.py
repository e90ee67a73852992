"""A request's body: the bytes that came, the envelope that the gateway reads, and the body as a model gets it."""

from collections.abc import Mapping
from http import HTTPStatus
from itertools import count
from typing import Any

import msgspec
from starlette.types import Receive

from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.api.table import Api
from serve_app.gateway.http.envelope import Envelope, bad_body, read_envelope, too_deep
from serve_app.gateway.http.form import Form
from serve_app.gateway.http.intake import receive_all
from serve_app.gateway.http.pieces import Piece, Pieces
from serve_app.settings.gateway import Limits

MOST_FIELDS = 4096
"""Top-level fields of a large body that is rewritten; each takes memory of its own."""
_SMALL = 64 * 1024
"""Bytes that are copied rather than sent as a piece of their own."""

_NO_NAMES: Mapping[str, str] = {}
_decode_small = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Body:
    """A request's body."""

    __slots__ = ("_form", "envelope", "raw")

    def __init__(self, raw: bytes | bytearray, envelope: Envelope, form: Form | None = None) -> None:
        self.raw = raw
        """As it came."""
        self.envelope = envelope
        self._form = form

    def encode(self, changes: Mapping[str, object], names: Mapping[str, str] = _NO_NAMES) -> Pieces:
        """The body for a model, with other top-level fields; the rest is the client's own bytes, and no copy of them.

        Args:
            changes: Field -> its value there, or `msgspec.UNSET` for a field to leave out.
            names: Field -> its name there, or an empty one for a field to leave out; comes after the changes.

        Raises:
            ApiError: 400, a large body has too many top-level fields.
        """
        if not self.envelope.model or not (changes or names):
            return (self.raw,)
        if self._form is not None:
            return self._form.encode(changes, names)
        try:
            fields = _fields(self.raw)
        except RecursionError as error:
            raise too_deep() from error
        fields |= changes
        renamed = [name for name in names if name in fields] if names else []
        if not changes and not renamed:
            return (self.raw,)
        for name in renamed:
            value = fields.pop(name)
            if other := names[name]:
                fields.setdefault(other, value)
        fields = {name: value for name, value in fields.items() if value is not msgspec.UNSET}
        return (msgspec.json.encode(fields),) if len(self.raw) <= _SMALL else _pieces(fields)


async def read(receive: Receive, headers: Headers, api: Api, limits: Limits, *, arrived: bool = False) -> Body:
    """Reads a request's body.

    Args:
        receive: ASGI's receive.
        headers: The request's headers.
        api: What it is for.
        limits: How large it may be, and how long it may take.
        arrived: Whether all of it is there already.

    Raises:
        ApiError: 400, 408, 413 or 415: the body cannot be used.
        DisconnectError: The client left before the end.
    """
    raw = await receive_all(receive, headers, limits.max_body_bytes, limits.body_seconds, arrived=arrived)
    if api.body == "none":
        return Body(b"", Envelope())
    content_type = headers.get(b"content-type", b"")
    if api.body == "form":
        form = Form(raw, content_type)
        return Body(raw, form.envelope(api), form)
    if content_type != b"application/json" and not _is_json(content_type):
        name = content_type[:100].decode("latin-1")
        message = f"The content-type is {name!r}: send the body as JSON, with content-type: application/json."
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, code="unsupported_content_type")
    return Body(raw, read_envelope(raw, api))


def _is_json(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].strip().lower() == b"application/json"


def _fields(raw: bytes | bytearray) -> dict[str, Any]:
    if len(raw) <= _SMALL:
        return _decode_small(raw)
    seen = count(1)

    def name(_: type, text: str) -> _Name:
        if next(seen) > MOST_FIELDS:
            raise bad_body(f"The body has more than {MOST_FIELDS} top-level fields: send fewer.")
        return _Name(text)

    fields: dict[str, Any] = msgspec.json.decode(raw, type=dict[_Name, msgspec.Raw], dec_hook=name)
    return fields


class _Name(str):
    """A field's name, of a type of its own so that msgspec calls the hook that counts them."""

    __slots__ = ()


def _pieces(fields: Mapping[str, object]) -> Pieces:
    large: dict[str, memoryview] = {}
    small: dict[str, object] = {}
    for name, value in fields.items():
        if isinstance(value, msgspec.Raw) and (view := memoryview(value)).nbytes > _SMALL:
            large[name] = view
        else:
            small[name] = value
    pieces: list[Piece] = [msgspec.json.encode(small).removesuffix(b"}")]
    for name, view in large.items():
        comma = b"," if small or len(pieces) > 1 else b""
        pieces += [b"%s%s:" % (comma, msgspec.json.encode(str(name))), view]
    return (*pieces, b"}")
