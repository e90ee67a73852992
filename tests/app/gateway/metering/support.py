"""Records of requests, as the gateway makes them."""

from typing import Any

from serve_app.gateway.api.table import APIS, Api
from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.exchange.endpoints import Endpoints
from serve_app.gateway.exchange.outcome import Outcome
from serve_app.gateway.exchange.plan import Target
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.usage import Usage
from serve_app.settings.gateway import Model, Price

CHAT = "/v1/chat/completions"
PRICE = Price(promptPerMillion=2, cachedPerMillion=0.5, completionPerMillion=10)
CALLER = Caller(key="alice", team="search", subject="alice@example.com")


def target(model: str = "a", route: str = "", price: Price | None = PRICE) -> Target:
    entry = Model(url=f"http://{model}:8000", price=price)
    return Target(model, route, entry, model, Endpoints(entry))


def record(outcome: Outcome | None = None, **changed: Any) -> RequestRecord:
    """A stream that took 2.5 s, 0.5 s of them until its first byte."""
    api: Api = APIS[CHAT]
    usual: dict[str, Any] = {
        "request_id": b"r-1",
        "method": "POST",
        "path": CHAT,
        "caller": CALLER,
        "api": api,
        "target": target(route="chat"),
        "asked": True,
        "status": 200,
        "complete": True,
        "stream": True,
        "started_at": 100.0,
        "first_byte_at": 100.5,
        "ended_at": 102.5,
        "queued_seconds": 0.25,
        "usage": Usage(prompt=1000, cached=2000, completion=301),
        "currency": "EUR",
        "bytes_sent": 4242,
        "retries": 1,
    }
    if outcome is Outcome.DISCONNECT:
        usual |= {"complete": False, "disconnected": True}
    elif outcome is Outcome.BROKEN:
        usual["complete"] = False
    made = RequestRecord(**usual | changed)
    assert outcome in (None, made.outcome)
    return made
