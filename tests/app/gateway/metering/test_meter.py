from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from serve_app.gateway.api.table import APIS, RETRIEVE
from serve_app.gateway.exchange.caller import ANYBODY
from serve_app.gateway.exchange.outcome import Outcome
from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.meter import Meter
from serve_app.gateway.metering.metrics import MOST_DECLARED, MeteringMetrics

from .support import record, target

ACCOUNT = {"team": "search", "key": "alice", "model": "a", "route": "chat"}


class Counted:
    """A meter, and what it counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = MeteringMetrics(self.registry)
        self.meter = Meter(self.metrics)

    def record(self, **changed: Any) -> None:
        self.meter.count(record(**changed))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"ray_vllm_gateway_{name}", labels)

    def tokens(self, **account: str) -> list[float | None]:
        kinds = ("prompt", "cached", "completion")
        return [self.value("tokens_total", **(ACCOUNT | account), kind=kind) for kind in kinds]

    def unknown(self) -> dict[str, float]:
        samples = [sample for metric in self.registry.collect() for sample in metric.samples]
        name = "ray_vllm_gateway_usage_unknown_total"
        return {s.labels["reason"]: s.value for s in samples if s.name == name and s.value}


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_tokens_and_their_price_are_counted_for_the_account(counted: Counted) -> None:
    counted.record()
    counted.record(usage=Usage(1, 0, 1))
    assert counted.tokens() == [1001, 2000, 302]
    price = counted.value("cost_total", **ACCOUNT, currency="EUR")
    assert price == pytest.approx((1001 * 2 + 2000 * 0.5 + 302 * 10) / 1e6)
    assert counted.unknown() == {}


def test_accounts_are_kept_apart(counted: Counted) -> None:
    counted.record()
    counted.record(caller=ANYBODY, target=target("b"), usage=Usage(7, 0, 1))
    assert counted.tokens() == [1000, 2000, 301]
    assert counted.tokens(team="", key="", model="b", route="") == [7, 0, 1]


def test_a_model_without_a_price_has_no_cost(counted: Counted) -> None:
    counted.record(target=target(route="chat", price=None))
    assert counted.tokens() == [1000, 2000, 301]
    assert counted.value("cost_total", **ACCOUNT, currency="EUR") is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"outcome": Outcome.DISCONNECT}, "disconnect"),
        ({"outcome": Outcome.DISCONNECT, "status": 0, "first_byte_at": 0.0}, "disconnect"),
        ({"outcome": Outcome.BROKEN}, "broken"),
        ({}, "not_reported"),
    ],
)
def test_what_cannot_be_counted_is_said(counted: Counted, changed: dict[str, Any], reason: str) -> None:
    counted.record(usage=None, **changed)
    assert counted.unknown() == {reason: 1}
    assert counted.tokens() == [None, None, None]
    assert counted.value("completion_tokens_count", model="a") is None


def test_what_was_reported_before_the_client_left_is_counted(counted: Counted) -> None:
    counted.record(usage=Usage(6, 0, 2, partial=True), outcome=Outcome.DISCONNECT)
    assert counted.tokens() == [6, 0, 2]
    assert counted.unknown() == {}
    assert counted.value("completion_tokens_count", model="a") is None


def test_a_response_that_is_left_is_counted_without_its_prompt(counted: Counted) -> None:
    counted.record(usage=Usage(0, 0, 2, partial=True), outcome=Outcome.DISCONNECT)
    assert counted.tokens() == [0, 0, 2]
    assert counted.unknown() == {"disconnect": 1}


def test_a_client_that_leaves_after_the_usage_was_reported_is_counted_exactly(counted: Counted) -> None:
    counted.record(outcome=Outcome.DISCONNECT)
    assert counted.tokens() == [1000, 2000, 301]
    assert counted.unknown() == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"status": 400, "outcome": Outcome.CLIENT_ERROR},
        {"status": 503, "outcome": Outcome.SERVER_ERROR, "first_byte_at": 0.0},
        {"api": RETRIEVE, "path": "/v1/responses/resp_1"},
        {"api": APIS["/tokenize"]},
        {"outcome": Outcome.DISCONNECT, "asked": False, "first_byte_at": 0.0, "status": 0},
        {"outcome": Outcome.SUCCESS, "first_byte_at": 0.0},
        {"api": None, "path": "/v1/models"},
        {"target": None, "asked": False, "status": 404, "outcome": Outcome.CLIENT_ERROR},
    ],
)
def test_requests_without_tokens_are_not_unknown(counted: Counted, changed: dict[str, Any]) -> None:
    counted.record(**{"usage": None} | changed)
    assert counted.unknown() == {}
    assert counted.tokens() == [None, None, None]


def test_time_per_token_is_the_mean_after_the_first(counted: Counted) -> None:
    counted.record(usage=Usage(5, 0, 401))
    to = {"model": "a", "route": "chat"}
    assert counted.value("time_per_output_token_seconds_sum", **to) == pytest.approx(2.0 / 400)
    counted.record(usage=Usage(5, 0, 401), stream=False)
    counted.record(usage=Usage(5, 0, 1))
    assert counted.value("time_per_output_token_seconds_count", **to) == 1


def test_distributions_of_prompts_answers_and_waits(counted: Counted) -> None:
    counted.record()
    assert counted.value("prompt_tokens_sum", model="a") == 3000
    assert counted.value("completion_tokens_sum", model="a") == 301
    assert counted.value("queue_seconds_sum", model="a") == 0.25
    counted.record(api=APIS["/v1/embeddings"], usage=Usage(3, 0, 0), stream=False)
    assert counted.value("prompt_tokens_count", model="a") == 2
    assert counted.value("completion_tokens_count", model="a") == 1


def test_series_begin_at_zero(counted: Counted) -> None:
    counted.metrics.declare([target(route="chat")], [("search", "alice")])
    assert counted.tokens() == [0, 0, 0]
    assert counted.value("usage_unknown_total", model="a", reason="broken") == 0
    assert counted.value("queue_seconds_count", model="a") == 0
    assert counted.value("time_per_output_token_seconds_count", model="a", route="chat") == 0


def test_a_reload_keeps_what_was_counted(counted: Counted) -> None:
    counted.record()
    counted.metrics.declare([target(route="chat")], [("search", "alice")])
    counted.record()
    assert counted.tokens() == [2000, 4000, 602]


def test_many_keys_do_not_make_the_exposition_long(counted: Counted) -> None:
    keys = (("", f"key-{number}") for number in range(10 * MOST_DECLARED))
    counted.metrics.declare([target()], keys)
    lines = generate_latest(counted.registry).decode().splitlines()
    assert sum(line.startswith("ray_vllm_gateway_tokens_total{") for line in lines) == 3 * MOST_DECLARED
