import math
import random

import pytest

from serve_app.gateway.access.windows import MINUTE, Window, Windows, duration


def test_what_a_window_says_comes_true(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a next one exactly when it says so, and all may come again when it says it is empty."""
    chance = random.Random(4)  # noqa: S311
    for _ in range(300):
        now = 1e9 + chance.random() * 1e6
        monkeypatch.setattr("time.time", lambda: now)  # noqa: B023
        windows, limit = Windows(), chance.randint(1, 50)
        for _ in range(chance.randint(0, 5)):
            windows.count("x", chance.randint(1, 40))
            now += chance.random() * 50
        wait = windows.read("x").seconds_to_next(limit)
        assert (wait == 0) == (windows.read("x").left(limit) > 0)
        empty = windows.read("x").seconds_to_empty()
        if wait:
            now += wait - 0.001
            assert windows.read("x").left(limit) == 0
            now += 0.002
            assert windows.read("x").left(limit) > 0
        now += max(0, empty - wait) + 0.01
        assert windows.read("x").left(limit) == limit


def test_the_last_minute_counts_by_what_is_left_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule by hand: half a minute later, half of the last minute's count is left."""
    now = 1e9 // MINUTE * MINUTE
    monkeypatch.setattr("time.time", lambda: now)
    windows = Windows()
    windows.count("x", 40)
    assert windows.read("x").left(100) == 60
    now += MINUTE + 30
    assert windows.read("x").left(100) == 80
    windows.count("x", 7)
    assert windows.read("x").left(100) == 73
    windows.count("x", -7)
    assert windows.read("x").left(100) == 80
    windows.count("x", -30)
    assert windows.read("x").left(100) == 100, "more cannot be left than the limit"
    now += 2 * MINUTE
    windows.count("y")
    assert len(windows) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0119, "12ms"), (0.9995, "1s"), (1, "1s"), (5.2, "6s"), (59.5, "1m0s"), (119.01, "2m0s")],
)
def test_durations_as_openai_writes_them(seconds: float, text: str) -> None:
    assert duration(seconds).decode() == text


def test_nothing_is_left_below_zero() -> None:
    assert Window(current=500, current_ttl=90).left(100) == 0
    assert math.isclose(Window(current=500, current_ttl=90).seconds_to_next(100), 30 + 48)
