from http import HTTPStatus
from typing import Any

import pytest

from serve_app.gateway.access.charge import charge
from serve_app.gateway.access.estimate import NOTHING, Estimate
from serve_app.gateway.api.table import APIS, RETRIEVE
from serve_app.gateway.exchange.endpoints import Endpoints
from serve_app.gateway.exchange.plan import Target
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.usage import Usage
from serve_app.settings.gateway import Model

PRICE = {"promptPerMillion": 1.5, "cachedPerMillion": 0.25, "completionPerMillion": 6}
PRICED_MODEL = Model.model_validate({"url": "http://a", "price": PRICE})
FREE_MODEL = Model.model_validate({"url": "http://a"})
TARGET = Target("a", "", PRICED_MODEL, "a", Endpoints(PRICED_MODEL))
FREE = Target("a", "", FREE_MODEL, "a", Endpoints(FREE_MODEL))
ESTIMATE = Estimate(100, 5000, 40_000)


def record(**fields: Any) -> RequestRecord:
    asked = {"api": APIS["/v1/chat/completions"], "target": TARGET, "asked": True, "status": 200, "complete": True}
    return RequestRecord(request_id=b"1", method="POST", path="/", **{**asked, **fields})


@pytest.mark.parametrize(
    ("usage", "charged"),
    [
        (Usage(10, 0, 5), (15, 45)),
        (Usage(10, 4, 5), (19, 46)),
        (Usage(1, 0, 0), (1, 2)),
        (Usage(0, 0, 0), (0, 0)),
    ],
)
def test_what_the_model_reported(usage: Usage, charged: tuple[int, int]) -> None:
    assert charge(record(usage=usage, pieces_sent=900, stream=True), ESTIMATE) == charged


def test_a_model_without_a_price_costs_nothing() -> None:
    assert charge(record(usage=Usage(10, 0, 5), target=FREE), ESTIMATE) == (15, 0)


@pytest.mark.parametrize("ending", [{"disconnected": True}, {}], ids=["left", "broken"])
@pytest.mark.parametrize(
    ("usage", "pieces", "charged"),
    [
        (Usage(70, 30, 40, partial=True), 12, 140),
        (Usage(70, 30, 4, partial=True), 12, 112),
        (None, 12, 112),
        (None, 0, 100),
    ],
)
def test_a_stream_that_did_not_come_to_its_end(
    ending: dict[str, Any], usage: Usage | None, pieces: int, charged: int
) -> None:
    broken = record(usage=usage, pieces_sent=pieces, stream=True, complete=False, **ending)
    tokens, cost = charge(broken, ESTIMATE)
    assert tokens == charged
    assert cost > 0


def test_a_client_that_left_before_the_first_byte() -> None:
    assert charge(record(status=0, complete=False, disconnected=True), ESTIMATE) == (100, 150)


def test_a_model_that_reports_nothing() -> None:
    assert charge(record(pieces_sent=1), ESTIMATE) == (101, 156)


@pytest.mark.parametrize(
    "fields",
    [
        {"asked": False, "status": 0, "disconnected": True, "complete": False},
        {"status": HTTPStatus.SERVICE_UNAVAILABLE, "pieces_sent": 1},
        {"status": HTTPStatus.BAD_REQUEST, "pieces_sent": 1},
        {"api": APIS["/tokenize"], "pieces_sent": 1},
        {"api": RETRIEVE, "pieces_sent": 1},
        {"api": None},
    ],
)
def test_what_no_model_worked_on(fields: dict[str, Any]) -> None:
    assert charge(record(**fields), ESTIMATE) == (0, 0)


def test_a_background_response_that_is_retrieved() -> None:
    assert charge(record(api=RETRIEVE, usage=Usage(10, 0, 5)), NOTHING) == (15, 45)


def test_an_error_after_usage_was_reported() -> None:
    failed = record(status=500, usage=Usage(10, 0, 5, partial=True), pieces_sent=9, stream=True)
    assert charge(failed, ESTIMATE) == (15, 45)
