"""One request and its answer: the sending side of ASGI, and what metrics and the access log tell about it."""

import string
import time
from collections.abc import Iterable
from http import HTTPStatus

from starlette.types import Message, Send

from serve_app.gateway.access.caller import ANYBODY
from serve_app.gateway.admission.queue import Turn
from serve_app.gateway.apis.errors import ApiError, Header, Shape
from serve_app.gateway.apis.request_id import new_request_id
from serve_app.gateway.apis.table import Api
from serve_app.gateway.metering.usage import Usage
from serve_app.gateway.observe.metrics import Outcome
from serve_app.gateway.observe.tracing import Trace
from serve_app.gateway.routing.plan import Plan, Target

_REQUEST_ID_CHARACTERS = frozenset((string.ascii_letters + string.digits + "-_.:").encode())
_REQUEST_ID_LENGTH = 128


class Exchange:
    """A request on its way. Its `send` is the only way to the client, so it knows what was sent and when."""

    __slots__ = (
        "_headers",
        "_send",
        "api",
        "asked",
        "bytes_sent",
        "caller",
        "complete",
        "disconnected",
        "ended_at",
        "first_byte_at",
        "pieces_sent",
        "plan",
        "prompt",
        "queued_seconds",
        "request_id",
        "retries",
        "shape",
        "started_at",
        "status",
        "stream",
        "target",
        "trace",
        "turn",
        "usage",
    )

    def __init__(self, send: Send, *, request_id: bytes | None, shape: Shape = "openai", closing: bool = False) -> None:
        """Starts the clock.

        Args:
            send: ASGI's send.
            request_id: The client's own `x-request-id`; kept if it is short and plain, made anew otherwise.
            shape: How the client expects errors.
            closing: Asks the client to use another connection for its next request.
        """
        self.started_at = time.perf_counter()
        self.first_byte_at = self.ended_at = self.queued_seconds = 0.0
        self.request_id = request_id if request_id and _is_plain(request_id) else new_request_id()
        self.shape: Shape = shape
        self.api: Api | None = None
        self.caller = ANYBODY
        self.plan: Plan | None = None
        self.target: Target | None = None
        self.usage: Usage | None = None
        self.prompt: bytes | None = None
        """The body, where the configuration wants it in the log."""
        self.turn: Turn | None = None
        self.trace: Trace | None = None
        self.stream = False
        self.asked = False
        """Whether a model was sent the request."""
        self.status = 0
        self.bytes_sent = 0
        self.pieces_sent = 0
        self.retries = 0
        self.complete = False
        self.disconnected = False
        self._send = send
        self._headers: list[Header] = [(b"x-request-id", self.request_id)]
        if shape == "anthropic":
            self._headers.append((b"request-id", self.request_id))  # where its clients look for it
        if closing:
            self._headers.append((b"connection", b"close"))

    async def send(self, message: Message) -> None:
        """ASGI's send, with the gateway's headers added and the outcome noted."""
        if message["type"] == "http.response.start":
            await self.start(message["status"], message.get("headers", ()))
        else:
            await self.write(message.get("body", b""), more=message.get("more_body", False))

    def add_headers(self, headers: Iterable[Header]) -> None:
        """Has these sent with the answer, whatever it will be."""
        self._headers += headers

    async def start(self, status: int, headers: Iterable[Header]) -> None:
        """Sends status and headers."""
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *self._headers]})
        self.status = status

    async def write(self, body: bytes, *, more: bool) -> None:
        """Sends a piece of the body; `more` tells that it is not the last."""
        if not self.first_byte_at:
            self.first_byte_at = time.perf_counter()
        self.bytes_sent += len(body)
        self.pieces_sent += 1
        await self._send({"type": "http.response.body", "body": body, "more_body": more})
        self.complete = not more

    async def comment(self, body: bytes) -> None:
        """Sends what is not part of the answer, so that the answer's first byte is still to come."""
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def refuse(self, error: ApiError) -> None:
        """Answers with an error, in the shape of the caller's API; as an event in a stream that was kept alive."""
        request_id = self.request_id.decode()
        if self.status:
            await self.write(error.event(self.shape, request_id), more=False)
            self.status = error.status
            return
        body = error.body(self.shape, request_id)
        content = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self.start(error.status, [*content, *error.headers])
        await self.write(body, more=False)

    def leave(self) -> None:
        """Gives the model's slot back, if one is held."""
        if self.turn is not None:
            self.turn.end()
            self.turn = None

    def end(self) -> float:
        """Stops the clock; returns the seconds from the request to the end of its answer."""
        self.ended_at = time.perf_counter()
        return self.seconds

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended_at - self.started_at

    @property
    def seconds_to_first_byte(self) -> float:
        """How long the client waited for the first byte of the answer's body; below 0 if there was none."""
        return self.first_byte_at - self.started_at

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        if self.disconnected:
            return Outcome.DISCONNECT
        if not self.complete:
            return Outcome.BROKEN
        if self.status < HTTPStatus.BAD_REQUEST:
            return Outcome.SUCCESS
        return Outcome.CLIENT_ERROR if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else Outcome.SERVER_ERROR


def _is_plain(request_id: bytes) -> bool:
    return len(request_id) <= _REQUEST_ID_LENGTH and _REQUEST_ID_CHARACTERS.issuperset(request_id)
