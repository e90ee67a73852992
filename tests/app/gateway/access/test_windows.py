import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.gateway.access.windows import MINUTE, MINUTE_MS, Window, WindowCounter, duration

START_MS = 1_700_000_000_000
steps = st.lists(st.tuples(st.integers(0, 150_000), st.integers(1, 40)), max_size=30)
"""Milliseconds that pass, and what is counted then."""


def counted(steps: list[tuple[int, int]]) -> tuple[WindowCounter, int]:
    counter, now = WindowCounter(), START_MS
    for pause, amount in steps:
        now += pause
        counter.add(now, amount)
    return counter, now


@given(steps, st.integers(0, 150_000), st.integers(1, 200))
def test_what_is_left_is_the_documented_arithmetic(steps: list[tuple[int, int]], later: int, limit: int) -> None:
    counter, now = counted(steps)
    now += later
    minute = now // MINUTE_MS
    at = START_MS
    sums = {minute: 0, minute - 1: 0}
    for pause, amount in steps:
        at += pause
        if at // MINUTE_MS in sums:
            sums[at // MINUTE_MS] += amount
    left_of_minute = MINUTE - now % MINUTE_MS / 1000
    used = math.floor(round(sums[minute - 1] * left_of_minute / MINUTE, 9)) + sums[minute]
    assert counter.at(now).left(limit) == max(0, limit - used)


@given(steps, st.integers(1, 50))
def test_the_next_may_come_exactly_when_it_is_told(steps: list[tuple[int, int]], limit: int) -> None:
    counter, now = counted(steps)
    window = counter.at(now)
    wait = window.seconds_to_next(limit)
    assert (wait == 0) == (window.left(limit) > 0)
    if wait:
        assert not counter.at(now + math.floor(wait * 1000) - 1).left(limit)
        assert counter.at(now + math.floor(wait * 1000) + 2).left(limit)
    empty = counter.at(now + math.ceil(max(wait, window.seconds_to_empty()) * 1000) + 1)
    assert empty.left(limit) == limit


def test_a_minutes_count_fades_in_the_next() -> None:
    counter = WindowCounter()
    counter.add(START_MS - START_MS % MINUTE_MS, 100)
    begin = START_MS - START_MS % MINUTE_MS
    lefts = [counter.at(begin + second * 1000).left(100) for second in (0, 59, 60, 90, 119, 120)]
    assert lefts == [0, 0, 0, 50, 99, 100]


def test_an_idle_counter_says_the_same_as_a_new_one() -> None:
    counter = WindowCounter()
    counter.add(START_MS, 5)
    later = START_MS + 2 * MINUTE_MS
    assert (counter.idle(START_MS), counter.idle(START_MS + MINUTE_MS), counter.idle(later)) == (False, False, True)
    assert counter.at(later) == WindowCounter().at(later)


def test_what_is_taken_back_does_not_count() -> None:
    counter = WindowCounter()
    counter.add(START_MS, 5)
    counter.add(START_MS, -1)
    assert counter.at(START_MS).current == 4
    counter.add(START_MS + MINUTE_MS, -1)
    assert counter.at(START_MS + MINUTE_MS).current == 0, "that was counted in another minute"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.0119, "12ms"), (0.9995, "1s"), (1, "1s"), (5.2, "6s"), (59.5, "1m0s"), (119.01, "2m0s")],
)
def test_durations_as_openai_writes_them(seconds: float, text: str) -> None:
    assert duration(seconds).decode() == text


def test_nothing_is_left_below_zero() -> None:
    assert Window(current=500, left_ms=30_000).left(100) == 0
    assert math.isclose(Window(current=500, left_ms=30_000).seconds_to_next(100), 30 + 48)
