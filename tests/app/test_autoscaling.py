"""serve_app.models.autoscaling: how many replicas the engines' figures ask for."""

from types import SimpleNamespace
from typing import Any

import pytest

from serve_app.models.autoscaling import KvCache, WaitingRequests


def context(replicas: int = 2, requests: float = 10, **metrics: list[float]) -> SimpleNamespace:
    """What Ray hands to a policy: the metrics by name and replica."""
    by_replica = {name: {f"r{i}": value for i, value in enumerate(values)} for name, values in metrics.items()}
    return SimpleNamespace(
        aggregated_metrics=by_replica,
        current_num_replicas=replicas,
        target_num_replicas=replicas,
        total_num_requests=requests,
        config=SimpleNamespace(target_ongoing_requests=8),
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (context(kv_cache_usage=[0.7, 0.7]), 2),
        (context(kv_cache_usage=[0.9, 0.9]), 1.8 / 0.7),
        (context(kv_cache_usage=[0.1, 0.0]), 1),
        (context(requests=0, kv_cache_usage=[0.0, 0.0]), 0),
        (context(), 2),
        (context(replicas=0, requests=0), 0),
    ],
)
def test_kv_cache(given: Any, wanted: float) -> None:
    assert KvCache(0.7)(given)[0] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (context(requests=16, waiting=[0, 0], running=[8, 8]), 2),
        (context(requests=24, waiting=[6, 2], running=[8, 8]), 3),
        (context(requests=48, waiting=[16, 16], running=[8, 8]), 6),
        (context(requests=24, waiting=[2, 2], running=[10, 10]), 3),
        (context(requests=4, waiting=[3, 1], running=[0, 0]), 0.5 * 2),
        (context(requests=1), 1),
        (context(requests=0), 0),
        (context(replicas=0, requests=0), 0),
    ],
)
def test_waiting_requests(given: Any, wanted: float) -> None:
    assert WaitingRequests(2)(given)[0] == pytest.approx(wanted)
