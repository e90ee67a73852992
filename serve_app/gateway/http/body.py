"""A request's body, and the little that the gateway has to know of it: which model is to answer, and how."""

from collections.abc import Mapping
from copy import copy
from http import HTTPStatus
from itertools import count
from typing import Any

import msgspec
from starlette.types import Receive

from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.api.table import Api
from serve_app.gateway.http.body_memory import BodyMemory, BodyShare
from serve_app.gateway.http.envelope import Envelope, bad_request, envelope_of
from serve_app.gateway.http.form import Form
from serve_app.gateway.http.intake import receive_all
from serve_app.settings.gateway import Limits

Pieces = tuple[bytes | memoryview, ...]
MOST_FIELDS = 4096
"""Top-level fields of a large body that is changed; each costs memory, and no API knows a hundred."""
_SMALL = 64 * 1024
"""Bytes that are copied rather than sent as a piece of their own."""
_YES = frozenset(("1", "on", "t", "true", "y", "yes"))
_NO = frozenset(("", "0", "f", "false", "n", "no", "off"))
"""What a form's field may have for a boolean, as pydantic reads it."""
_NO_ENVELOPE = Envelope()
_decode_small = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Body:
    """A request's body."""

    __slots__ = ("_form", "_share", "envelope", "model", "raw", "stream", "user", "written")

    def __init__(
        self,
        raw: bytes,
        *,
        model: str = "",
        written: str = "",
        stream: bool = False,
        user: str = "",
        envelope: Envelope = _NO_ENVELOPE,
        form: Form | None = None,
        share: BodyShare | None = None,
    ) -> None:
        self.raw = raw
        """As it came; empty once it was released."""
        self.model = model
        """The name of the model or route that is asked; empty where the API has no body."""
        self.written = written
        """The name in the body, which differs where the path names the model."""
        self.stream = stream
        """Whether the answer is to be a stream of events."""
        self.user = user
        """Whom the client asks for, as it names them; empty if it does not."""
        self.envelope = envelope
        """Further fields of a JSON body."""
        self._form = form
        self._share = share

    @property
    def memory_is_scarce(self) -> bool:
        """Whether nobody should hold this body without need."""
        return self._share is not None and self._share.scarce

    def share(self) -> "Body":
        """The same body for another user, which has to release it too."""
        if self._share is not None:
            self._share.add_user()
        return copy(self)

    def release(self) -> None:
        """Gives the bytes back, unless others use them: nobody sends them again. A second time does nothing."""
        self.raw = b""
        self._form = None
        if self._share is not None:
            self._share.release()
            self._share = None

    def pieces(
        self, upstream_model: str, changes: Mapping[str, object] | None = None, fields: Mapping[str, str] | None = None
    ) -> Pieces:
        """The body for a model, in pieces that are sent one after the other.

        A body that needs no change is sent as it came. In one that does, each value that is not changed stays as it
        came, to the digit, and large ones are not copied.

        Args:
            upstream_model: What `model` has to be there.
            changes: Other top-level fields -> their values.
            fields: Top-level field -> its name there; empty drops it.

        Raises:
            ApiError: 400, a large body has too many top-level fields.
        """
        if self._form is not None:
            return (self.raw,) if upstream_model == self.written else self._form.replaced("model", upstream_model)
        if not self.model:
            return (self.raw,)
        changed = dict(changes or {})
        if upstream_model != self.written:
            changed["model"] = upstream_model
        renamed = fields and any(name in changed or f'"{name}"'.encode() in self.raw for name in fields)
        if not changed and not renamed:
            return (self.raw,)
        given = _fields(self.raw) | changed
        if fields:
            given = {fields.get(name, name): value for name, value in given.items()}
            given.pop("", None)
        return (msgspec.json.encode(given),) if len(self.raw) <= _SMALL else _pieces(given)


NO_BODY = Body(b"")


async def read(
    receive: Receive,
    headers: Headers,
    api: Api,
    limits: Limits,
    memory: BodyMemory,
    *,
    model: str = "",
    arrived: bool = False,
) -> Body:
    """Reads a request's body, which has to be released.

    Args:
        receive: ASGI's receive.
        headers: The request's headers.
        api: The API.
        limits: How large it may be, and how long it may take.
        memory: Counts its bytes until it is released.
        model: The model that the request's path names, which then counts; empty for the body's own.
        arrived: Whether all of it is there already.

    Raises:
        ApiError: 400, 408, 413, 415 or 503: the body cannot be used, or not now.
        DisconnectError: The client left before the end.
    """
    most = limits.max_form_bytes if api.body == "form" else limits.max_body_bytes
    share = memory.share()
    try:
        raw = await receive_all(receive, headers, most, limits.body_seconds, share, arrived=arrived)
        if api.body == "none":
            share.release()
            return NO_BODY
        of = _of_form if api.body == "form" else _of_json
        return of(raw, headers.get(b"content-type", b""), api, model, share)
    except BaseException:
        share.release()
        raise


def _of_json(raw: bytes, content_type: bytes, api: Api, model: str, share: BodyShare) -> Body:
    if content_type != b"application/json" and not _is_json(content_type):
        name = content_type.decode("latin-1")
        message = f"The content-type is {name!r}: send the body as JSON, with content-type: application/json."
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, code="unsupported_content_type")
    envelope = envelope_of(raw, streams=api.streams)
    return Body(
        raw,
        model=model or _named(envelope.model),
        written=envelope.model or "",
        stream=bool(envelope.stream),
        user=_user(envelope, api),
        envelope=envelope,
        share=share,
    )


def _of_form(raw: bytes, content_type: bytes, api: Api, model: str, share: BodyShare) -> Body:
    form = Form(raw, content_type)
    named = _named(form.text("model"))
    stream = (form.text("stream") or "").lower()
    if stream not in _YES and stream not in _NO:
        raise bad_request("'stream' has to be true or false.", param="stream")
    user = form.text("user") or ""
    streams = api.streams and stream in _YES
    return Body(raw, model=model or named, written=named, stream=streams, user=user, form=form, share=share)


def _fields(raw: bytes) -> dict[str, Any]:
    """The top-level fields, undecoded; of two with one name the last, as JSON readers take it."""
    if len(raw) <= _SMALL:
        return _decode_small(raw)
    seen = count(1)

    def name(_: type, text: str) -> _Name:
        if next(seen) > MOST_FIELDS:
            raise bad_request(f"The body has more than {MOST_FIELDS} top-level fields: send fewer.")
        return _Name(text)

    fields: dict[str, Any] = msgspec.json.decode(raw, type=dict[_Name, msgspec.Raw], dec_hook=name)
    return fields


class _Name(str):
    """A field's name, of a type of its own so that msgspec calls the hook that counts them."""

    __slots__ = ()


def _pieces(fields: Mapping[str, object]) -> Pieces:
    """A JSON object in which large values are pieces of their own, and views."""
    large: dict[str, memoryview] = {}
    small: dict[str, object] = {}
    for name, value in fields.items():
        if isinstance(value, msgspec.Raw) and (view := memoryview(value)).nbytes > _SMALL:
            large[name] = view
        else:
            small[name] = value
    pieces: list[bytes | memoryview] = [msgspec.json.encode(small).removesuffix(b"}")]
    for name, view in large.items():
        comma = b"," if small or len(pieces) > 1 else b""
        pieces += [b"%s%s:" % (comma, msgspec.json.encode(str(name))), view]
    return (*pieces, b"}")


def _is_json(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].strip().lower() == b"application/json"


def _named(model: str | None) -> str:
    if model is None:
        raise bad_request("The body has no 'model': name the model that is to answer.", param="model")
    if not model:
        raise bad_request("'model' has to be a string with a model's name.", param="model")
    return model


def _user(envelope: Envelope, api: Api) -> str:
    if api.shape == "anthropic":
        metadata = envelope.value("metadata")
        user = metadata.get("user_id") if isinstance(metadata, dict) else None
    else:
        user = envelope.value("user")
    return user if isinstance(user, str) else ""
