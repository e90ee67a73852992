"""What is known of one request, for metrics, the usage log and traces."""

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from serve_app.gateway.api.errors import Header, Shape
from serve_app.gateway.api.table import Api
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.gateway.exchange.outcome import Outcome
from serve_app.gateway.exchange.plan import Plan, Target
from serve_app.gateway.exchange.usage import Usage, cost


class AttemptSpan(Protocol):
    """The span of a request to one model."""

    @property
    def headers(self) -> list[Header]:
        """The trace context for the model."""

    def end(self, failure: str = "") -> None:
        """Ends the span, as failed if a failure is named."""


class RequestSpan(Protocol):
    """The span of a client's request."""

    def attempt(self, model: str) -> AttemptSpan:
        """Starts the span of a request to a model."""

    def end(self, record: "RequestRecord") -> None:
        """Ends the span."""


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """One request. Each part of the gateway fills in what it learns; times are `time.perf_counter`'s."""

    request_id: bytes
    method: str
    path: str
    shape: Shape = "openai"
    """The error shape that the client expects."""
    started_at: float = field(default_factory=time.perf_counter)
    caller: Caller = ANYBODY
    api: Api | None = None
    """None for what is not passed to models."""
    plan: Plan | None = None
    target: Target | None = None
    """The model that answered, or that failed last; None if none was found."""
    stream: bool = False
    """Whether the client asked for a stream of events."""
    prompt: bytes | None = None
    """The body, where prompts are logged."""
    asked: bool = False
    """Whether a model was sent the request."""
    queued_seconds: float = 0.0
    retries: int = 0
    usage: Usage | None = None
    """What the model reported; None if it did not."""
    currency: str = ""
    span: RequestSpan | None = None
    status: int = 0
    """As the client got it; 0 if it left before."""
    first_byte_at: float = 0.0
    """When the first byte of the answer's body was sent; 0 if none was."""
    ended_at: float = 0.0
    bytes_sent: int = 0
    pieces_sent: int = 0
    complete: bool = False
    """Whether the whole answer was sent."""
    disconnected: bool = False
    stalled: bool = False
    """Whether the client stopped reading."""

    def end(self) -> None:
        """Stops the clock."""
        self.ended_at = time.perf_counter()

    @property
    def seconds(self) -> float:
        """From the request to the end of its answer."""
        return self.ended_at - self.started_at

    @property
    def seconds_to_first_byte(self) -> float:
        """From the request to the first byte of the answer's body; negative if there was none."""
        return self.first_byte_at - self.started_at

    @property
    def outcome(self) -> Outcome:
        """How the request ended."""
        if self.stalled:
            return Outcome.STALLED
        if self.disconnected:
            return Outcome.DISCONNECT
        if not self.complete:
            return Outcome.BROKEN
        if self.status < HTTPStatus.BAD_REQUEST:
            return Outcome.SUCCESS
        return Outcome.CLIENT_ERROR if self.status < HTTPStatus.INTERNAL_SERVER_ERROR else Outcome.SERVER_ERROR

    @property
    def cost(self) -> float | None:
        """The cost; None where usage is unknown or the model has no price."""
        price = self.target.entry.price if self.target else None
        return cost(self.usage, price) * self.caller.price_factor if self.usage and price else None
