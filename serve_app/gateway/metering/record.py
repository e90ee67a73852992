"""One request as metrics and the usage log tell of it, once it has ended."""

from dataclasses import dataclass

from serve_app.gateway.access.caller import Caller
from serve_app.gateway.apis.table import Api
from serve_app.gateway.metering.tokens import Usage, cost
from serve_app.gateway.observe.metrics import Outcome
from serve_app.gateway.routing.plan import Target


@dataclass(slots=True, kw_only=True)  # frozen it takes three times as long to make
class Record:
    """A request that has ended. Times are `time.perf_counter`'s."""

    request_id: str
    method: str
    path: str
    caller: Caller
    api: Api | None
    """None for what is not passed to models."""
    target: Target | None
    """The model that answered, or was to; None if none was found."""
    asked: bool
    """Whether the request was sent to it."""
    status: int
    """As the client got it; 0 if it left before."""
    outcome: Outcome
    stream: bool
    """Whether the answer was a stream of events."""
    started_at: float
    first_byte_at: float
    """When the first byte of a model's answer went to the client; 0 if none did."""
    ended_at: float
    queued_seconds: float | None
    """How long it waited for its turn; None if it never stood in a queue."""
    usage: Usage | None
    """What the model reported; None if it did not."""
    currency: str
    bytes_sent: int
    retries: int
    prompt: bytes | None = None
    """The body, where prompts are to be logged."""

    @property
    def cost(self) -> float | None:
        """What it costs; None where usage is not known or the model has no price."""
        price = self.target.entry.price if self.target else None
        return cost(self.usage, price) if self.usage and price else None
