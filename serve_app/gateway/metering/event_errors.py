"""Errors inside a stream, which the client gets in the shape of its API."""

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.api.stream_errors import stream_error
from serve_app.gateway.metering.events import data_of

ERROR = b'"error"'
"""In every event that may be an error. No text can look like it: inside JSON's strings the quotes are escaped."""
_OPENAI = (b'data: {"error"', b'data:{"error"')
_NAMED = (b"event: error\n", b"event: error\r\n", b"event:error\n", b"event:error\r\n")


class EventErrors:
    """Turns a stream's error events into the caller's shape."""

    __slots__ = ("_beginnings", "_external", "_request_id", "_shape", "status")

    def __init__(self, shape: Shape, request_id: str = "", *, external: bool = False) -> None:
        self._shape: Shape = shape
        self._request_id = request_id
        self._external = external
        self._beginnings = _OPENAI if shape == "openai" else _NAMED
        self.status = 0
        """The HTTP status of the last error; 0 for none."""

    def begins(self, start: bytes) -> bool:
        """Whether an event may turn out to be an error, by the bytes that are there."""
        return any(begin.startswith(start) or start.startswith(begin) for begin in self._beginnings)

    def shaped(self, event: bytes) -> bytes:
        """An event as the client gets it: the event itself if it is no error."""
        if not event.startswith(self._beginnings):
            return event
        found = stream_error(data_of(event), self._shape, self._request_id, external=self._external)
        if found is None:
            return event
        self.status = found.status
        return found.event
