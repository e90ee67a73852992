"""One request and its answer: the sending side of ASGI, and what metrics and the access log tell about it."""

import secrets
import string
import time
from collections.abc import Sequence
from http import HTTPStatus

from starlette.types import Message, Send

from serve_app.gateway.apis.errors import ApiError, Header
from serve_app.gateway.observe.metrics import Outcome
from serve_app.gateway.routing.catalog import Target

_REQUEST_ID_CHARACTERS = frozenset((string.ascii_letters + string.digits + "-_.:").encode())
_REQUEST_ID_LENGTH = 128


class Exchange:
    """A request on its way. Its `send` is the only way to the client, so it knows what was sent and when."""

    __slots__ = (
        "_headers",
        "_send",
        "api",
        "bytes_sent",
        "complete",
        "disconnected",
        "ended_at",
        "first_byte_at",
        "key_name",
        "request_id",
        "retries",
        "started_at",
        "status",
        "target",
    )

    def __init__(self, send: Send, *, request_id: bytes | None, api: str, closing: bool) -> None:
        """Starts the clock.

        Args:
            send: ASGI's send.
            request_id: The client's own `x-request-id`; kept if it is short and plain, made anew otherwise.
            api: The API's name in metrics and logs; empty for what is not passed to models.
            closing: Asks the client to use another connection for its next request.
        """
        self.started_at = time.perf_counter()
        self.first_byte_at = self.ended_at = 0.0
        self.request_id = request_id if request_id and _is_plain(request_id) else secrets.token_hex(16).encode()
        self.api = api
        self.key_name = ""
        self.target: Target | None = None
        self.status = 0
        self.bytes_sent = 0
        self.retries = 0
        self.complete = False
        self.disconnected = False
        self._send = send
        self._headers: list[Header] = [(b"x-request-id", self.request_id)]
        if closing:
            self._headers.append((b"connection", b"close"))

    async def send(self, message: Message) -> None:
        """ASGI's send, with the request id added and the outcome noted."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers]
        else:
            if not self.first_byte_at:
                self.first_byte_at = time.perf_counter()
            self.bytes_sent += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        await self._send(message)

    async def start(self, status: int, headers: Sequence[Header]) -> None:
        """Sends status and headers."""
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, body: bytes, *, more: bool) -> None:
        """Sends a piece of the body; `more` tells that it is not the last."""
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def refuse(self, error: ApiError) -> None:
        """Answers with an error."""
        body = error.body()
        content = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self.start(error.status, [*content, *error.headers])
        await self.write(body, more=False)

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
