"""A request's body, and the little that the gateway has to know of it: which model is to answer, and how."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.types import Receive

from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.api.table import Api
from serve_app.gateway.http.body_memory import BodyShare
from serve_app.gateway.http.envelope import Envelope, bad_request, envelope_of
from serve_app.gateway.http.form import Form
from serve_app.gateway.http.intake import receive_all
from serve_app.settings.gateway import Limits

Pieces = tuple[bytes | memoryview, ...]
_MOST_FIELDS = 10_000
"""Of a body that is written anew field by field; each costs memory, and no API knows a hundred."""
_YES = frozenset(("1", "on", "t", "true", "y", "yes"))
_NO = frozenset(("", "0", "f", "false", "n", "no", "off"))
"""What a form's field may have for a boolean, as pydantic reads it."""
_NO_ENVELOPE = Envelope()


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

    def pieces(
        self, upstream_model: str, changes: Mapping[str, object] | None = None, fields: Mapping[str, str] | None = None
    ) -> Pieces:
        """The body for a model, in pieces that are sent one after the other; what is unchanged is not copied.

        A changed field is appended: of two fields of one name JSON readers take the last, vLLM's and Ray's among them.
        For a server that wants other fields the body is written anew, each value as it came.

        Args:
            upstream_model: What `model` has to be there.
            changes: Other top-level fields -> their values.
            fields: Top-level field -> its name there; empty drops it.

        Raises:
            ApiError: 400, the body has too many fields to be written anew.
        """
        if self._form is not None:
            return (self.raw,) if upstream_model == self.written else self._form.replaced("model", upstream_model)
        if not self.model:
            return (self.raw,)
        changed = dict(changes or {})
        if upstream_model != self.written:
            changed["model"] = upstream_model
        found = {name: to for name, to in (fields or {}).items() if name in changed or f'"{name}"'.encode() in self.raw}
        if found:
            return (self._renamed(found, changed),)
        if not changed:
            return (self.raw,)
        end = self.raw.rindex(b"}")
        comma = b"" if self.raw[:1024].strip().startswith(b"{}") else b","
        return memoryview(self.raw)[:end], comma + msgspec.json.encode(changed)[1:]

    def _renamed(self, fields: Mapping[str, str], changed: Mapping[str, object]) -> bytes:
        if self.raw.count(b":") > _MOST_FIELDS and self.raw.count(b'":') > _MOST_FIELDS:
            raise bad_request(f"The body has more than {_MOST_FIELDS} fields: send fewer.")
        given: dict[str, object] = msgspec.json.decode(self.raw, type=dict[str, msgspec.Raw])
        kept = {fields.get(name, name): value for name, value in (given | dict(changed)).items()}
        kept.pop("", None)
        return msgspec.json.encode(kept)

    def release(self) -> None:
        """Frees the bytes: nobody sends them again."""
        self.raw = b""
        self._form = None
        if self._share is not None:
            self._share.release()


async def read(
    receive: Receive,
    headers: Headers,
    api: Api,
    limits: Limits,
    share: BodyShare,
    *,
    model: str = "",
    arrived: bool = False,
) -> Body:
    """Reads a request's body.

    Args:
        receive: ASGI's receive.
        headers: The request's headers.
        api: The API.
        limits: How large it may be, and how long it may take.
        share: Counts its bytes; the body gives them back when it is released.
        model: The model that the request's path names, which then counts; empty for the body's own.
        arrived: Whether all of it is there already.

    Raises:
        ApiError: 400, 408, 413, 415 or 503: the body cannot be used, or not now.
        DisconnectError: The client left before the end.
    """
    most = limits.max_form_bytes if api.body == "form" else limits.max_body_bytes
    raw = await receive_all(receive, headers, most, limits.body_seconds, share, arrived=arrived)
    if api.body == "none":
        share.release()
        return Body(b"")
    content_type = headers.get(b"content-type", b"")
    of = _of_form if api.body == "form" else _of_json
    return of(raw, content_type, api, model, share)


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
