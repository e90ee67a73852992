"""A request's body, and the little that the gateway has to know of it: which model is to answer, and how."""

from http import HTTPStatus
from typing import Any

import orjson
from starlette.types import Receive

from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.api.table import Api
from serve_app.gateway.http.form import Form
from serve_app.gateway.http.intake import receive_all
from serve_app.settings.gateway import Limits

_DEEPEST = 254
"""What orjson writes; it reads more."""
_YES = frozenset(("1", "on", "t", "true", "y", "yes"))
_NO = frozenset(("", "0", "f", "false", "n", "no", "off"))
"""What a form's field may have for a boolean, as pydantic reads it."""


class Body:
    """A request's body."""

    __slots__ = ("_form", "model", "payload", "raw", "stream", "user")

    def __init__(
        self,
        raw: bytes,
        payload: dict[str, Any],
        *,
        model: str = "",
        stream: bool = False,
        user: str = "",
        form: Form | None = None,
    ) -> None:
        """Takes the bytes and what was read of them."""
        self.raw = raw
        """As it came."""
        self._form = form
        self.payload = payload
        """The JSON; empty for forms, and where the API has no body. May be changed, see `encode`."""
        self.model = model
        """The model's or route's name; empty where the API has no body."""
        self.stream = stream
        """Whether the answer is to be a stream of events."""
        self.user = user
        """Whom the client asks for, as it names them; empty if it does not."""

    def encode(self, upstream_model: str, changed: bool = False) -> bytes:
        """The body for a model: the very bytes that came, if nothing is to be different.

        Args:
            upstream_model: What `model` has to be there.
            changed: Whether the payload was changed.

        Raises:
            ApiError: 400, if the payload cannot be written again.
        """
        if not changed and upstream_model == self.model:
            return self.raw
        if self._form is not None:
            return self._form.replaced("model", upstream_model)
        if not self.model:
            return self.raw
        self.payload["model"] = upstream_model
        try:
            return orjson.dumps(self.payload)
        except orjson.JSONEncodeError as error:
            raise _bad(f"The body is nested deeper than {_DEEPEST} levels: send it flatter.") from error


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
        return Body(b"", {})
    content_type = headers.get(b"content-type", b"")
    return _of_form(raw, content_type, api) if api.body == "form" else _of_json(raw, content_type, api)


def _of_json(raw: bytes, content_type: bytes, api: Api) -> Body:
    if content_type != b"application/json" and not _is_json(content_type):
        name = content_type.decode("latin-1")
        message = f"The content-type is {name!r}: send the body as JSON, with content-type: application/json."
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, code="unsupported_content_type")
    try:
        payload = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _bad(f"The body is not valid JSON: {error}.") from error
    if not isinstance(payload, dict):
        raise _bad("The body has to be a JSON object.")
    model = _named(payload.get("model"))
    stream = payload.get("stream") if api.streams else None
    if stream is not None and not isinstance(stream, bool):
        raise _bad("'stream' has to be true or false.", param="stream")
    if api.streams and not isinstance(payload.get("stream_options"), dict | None):
        raise _bad("'stream_options' has to be an object.", param="stream_options")
    return Body(raw, payload, model=model, stream=bool(stream), user=_user(payload, api))


def _of_form(raw: bytes, content_type: bytes, api: Api) -> Body:
    form = Form(raw, content_type)
    model = _named(form.text("model"))
    stream = (form.text("stream") or "").lower()
    if stream not in _YES and stream not in _NO:
        raise _bad("'stream' has to be true or false.", param="stream")
    return Body(raw, {}, model=model, stream=api.streams and stream in _YES, user=form.text("user") or "", form=form)


def _is_json(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].strip().lower() == b"application/json"


def _named(model: object) -> str:
    if model is None:
        raise _bad("The body has no 'model': name the model that is to answer.", param="model")
    if not isinstance(model, str) or not model:
        raise _bad("'model' has to be a string with a model's name.", param="model")
    return model


def _user(payload: dict[str, Any], api: Api) -> str:
    if api.shape == "anthropic":
        metadata = payload.get("metadata")
        user = metadata.get("user_id") if isinstance(metadata, dict) else None
    else:
        user = payload.get("user")
    return user if isinstance(user, str) else ""


def _bad(message: str, *, param: str | None = None) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, message, param=param)
