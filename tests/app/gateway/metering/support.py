"""Records of requests, as the gateway makes them."""

from typing import Any

from serve_app.gateway.access.caller import Caller
from serve_app.gateway.apis.table import APIS, Api
from serve_app.gateway.metering.record import Record
from serve_app.gateway.metering.tokens import Usage
from serve_app.gateway.observe.metrics import Outcome
from serve_app.gateway.routing.plan import Target
from serve_app.settings.gateway import Model, Price

CHAT = "/v1/chat/completions"
PRICE = Price(promptPerMillion=2, cachedPerMillion=0.5, completionPerMillion=10)
CALLER = Caller(key="alice", team="search", subject="alice@example.com")


def target(model: str = "a", route: str = "", price: Price | None = PRICE) -> Target:
    return Target(model, route, Model(url=f"http://{model}:8000", price=price), model, {})


def record(**changed: Any) -> Record:
    """A stream that took 2.5 s, 0.5 s of them until its first byte."""
    api: Api = APIS[CHAT]
    usual: dict[str, Any] = {
        "request_id": "r-1",
        "method": "POST",
        "path": CHAT,
        "caller": CALLER,
        "api": api,
        "target": target(route="chat"),
        "asked": True,
        "status": 200,
        "outcome": Outcome.SUCCESS,
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
    return Record(**usual | changed)
