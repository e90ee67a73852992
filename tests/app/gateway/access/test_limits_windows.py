import math
import random

import pytest
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from serve_app.gateway.access.windows import MINUTE, Window, duration


def test_windows_agree_with_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """At any time the same number is left, and there is a next one exactly when the library lets it in."""
    chance = random.Random(4)  # noqa: S311
    for _ in range(300):
        now = 1e9 + chance.random() * 1e6
        monkeypatch.setattr("time.time", lambda: now)  # noqa: B023
        storage = MemoryStorage()
        limiter = SlidingWindowCounterRateLimiter(storage)
        item = RateLimitItemPerMinute(chance.randint(1, 50))
        key = item.key_for("x")
        for _ in range(chance.randint(0, 5)):
            storage.acquire_sliding_window_entry(key, 10**9, MINUTE, chance.randint(1, 40))
            now += chance.random() * 50
        window = Window(*storage.get_sliding_window(key, MINUTE))
        assert window.left(item.amount) == limiter.get_window_stats(item, "x").remaining
        assert bool(window.left(item.amount)) == limiter.test(item, "x")
        wait = window.seconds_to_next(item.amount)
        assert (wait == 0) == limiter.test(item, "x")
        if wait:
            now += wait - 0.001
            assert not limiter.test(item, "x")
            now += 0.002
            assert limiter.test(item, "x")
        now += max(0, window.seconds_to_empty() - wait) + 0.01
        assert limiter.get_window_stats(item, "x").remaining == item.amount


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0119, "12ms"), (0.9995, "1s"), (1, "1s"), (5.2, "6s"), (59.5, "1m0s"), (119.01, "2m0s")],
)
def test_durations_as_openai_writes_them(seconds: float, text: str) -> None:
    assert duration(seconds).decode() == text


def test_nothing_is_left_below_zero() -> None:
    assert Window(current=500, current_ttl=90).left(100) == 0
    assert math.isclose(Window(current=500, current_ttl=90).seconds_to_next(100), 30 + 48)
