import pytest

from serve_app.gateway.exchange.record import RequestRecord


@pytest.mark.parametrize(
    ("status", "complete", "disconnected", "outcome"),
    [
        (200, True, False, "2xx"),
        (404, True, False, "4xx"),
        (503, True, False, "5xx"),
        (200, False, False, "broken"),
        (200, False, True, "disconnect"),
        (0, False, True, "disconnect"),
    ],
)
def test_outcomes(status: int, complete: bool, disconnected: bool, outcome: str) -> None:
    record = RequestRecord(
        request_id=b"id", method="GET", path="/", status=status, complete=complete, disconnected=disconnected
    )
    assert record.outcome == outcome
