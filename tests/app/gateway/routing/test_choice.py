import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest

from serve_app.gateway.routing.choice import Choice

VALUES = [f"user-{number}".encode() for number in range(20_000)]


def choice(weights: Mapping[str, int], salt: str = "route", seed: int = 1) -> Choice:
    return Choice(weights, salt, Random(seed))  # noqa: S311  # nothing secret


def within_binomial_bounds(count: int, draws: int, share: float) -> bool:
    """Whether a count is within 4 standard deviations: wrong for one in 16,000 such counts."""
    return abs(count - draws * share) <= 4 * (draws * share * (1 - share)) ** 0.5


@pytest.mark.parametrize("weights", [{"a": 90, "b": 10}, {"a": 1, "b": 1, "c": 2}, {"a": 999, "b": 1}])
@pytest.mark.parametrize("sticky", [False, True])
def test_shares_are_the_weights(weights: dict[str, int], sticky: bool) -> None:
    chosen = choice(weights)
    counts = Counter(chosen.by(value) if sticky else chosen.at_random() for value in VALUES)
    for name, weight in weights.items():
        assert within_binomial_bounds(counts[name], len(VALUES), weight / sum(weights.values())), counts


@pytest.mark.parametrize("weights", [{"a": 0, "b": 3, "c": 2}, {"a": 0, "b": 1}])
def test_a_weight_of_0_gets_nothing(weights: dict[str, int]) -> None:
    chosen = choice(weights)
    names = {chosen.by(value) for value in VALUES} | {chosen.at_random() for _ in VALUES}
    assert names == set(chosen.names) == set(weights) - {"a"}


@pytest.mark.parametrize(
    ("before", "after", "may_move"),
    [
        ({"a": 90, "b": 10}, {"a": 50, "b": 50}, ("a", "b")),
        ({"a": 90, "b": 10}, {"a": 100, "b": 0}, ("b", "a")),
        ({"a": 2, "b": 1, "c": 1}, {"a": 2, "b": 1}, ("c", None)),  # to both others
        ({"a": 2, "b": 1}, {"a": 2, "b": 1, "c": 1}, (None, "c")),  # from both others
    ],
)
def test_an_edit_moves_only_what_it_must(
    before: dict[str, int], after: dict[str, int], may_move: tuple[str | None, str | None]
) -> None:
    old, new = choice(before), choice(after)
    moves = Counter((old.by(value), new.by(value)) for value in VALUES)
    moved = {pair: count for pair, count in moves.items() if pair[0] != pair[1]}
    assert moved
    for source, goal in moved:
        assert may_move[0] in (None, source)
        assert may_move[1] in (None, goal)
    shares = [{name: weight / sum(weights.values()) for name, weight in weights.items()} for weights in (before, after)]
    least = sum(max(0.0, shares[1].get(name, 0) - shares[0].get(name, 0)) for name in {*before, *after})
    assert within_binomial_bounds(sum(moved.values()), len(VALUES), least), moved


def test_weights_count_relative_to_each_other() -> None:
    small, large = choice({"a": 9, "b": 1}), choice({"b": 100, "a": 900})
    assert all(small.by(value) == large.by(value) for value in VALUES[:2000])


def test_routes_choose_independently() -> None:
    one, other = choice({"a": 1, "b": 1}, "one"), choice({"a": 1, "b": 1}, "other")
    same = sum(one.by(value) == other.by(value) for value in VALUES)
    assert within_binomial_bounds(same, len(VALUES), 0.5)


def test_all_replicas_choose_alike() -> None:
    """Another process with another hash seed; and the choices of this version are those of the next."""
    program = (
        "from random import Random\n"
        "from serve_app.gateway.routing.choice import Choice\n"
        "chosen = Choice({'a': 3, 'b': 2, 'c': 1}, 'route', Random())\n"
        "print(''.join(chosen.by(b'user-%d' % number) for number in range(200)))\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    told = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    chosen = choice({"a": 3, "b": 2, "c": 1})
    here = "".join(chosen.by(value) for value in VALUES[:200])
    assert told.stdout.strip() == here
    assert here[:40] == "abbbabacabaabaaacaacabcaacaaaaabaabaaaca"
