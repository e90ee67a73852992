"""One of several backends, by their weights: at random, or always the same one for the same value."""

import hashlib
import math
from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate
from random import Random

_BITS = 52
"""Of a hash that become a number between 0 and 1: all of them fit a double, also with the half that is added."""


class Choice:
    """Backends with their weights.

    The same value leads to the same backend by weighted rendezvous hashing, in its logarithmic method: each backend's
    score is -w / ln(u), with its weight w and u, a hash of value and backend as a number between 0 and 1; the highest
    score wins (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", SPAA 2005,
    https://doi.org/10.1145/1073970.1074008). A backend then gets the share of values that its weight is of all, and
    since no score depends on another backend, an edit moves only the values that it has to: to the backend whose weight
    has grown, or away from the one whose weight has shrunk. Weights count relative to each other, so 90/10 and 9/1 are
    the same. BLAKE2 gives all replicas and all restarts the same hash, which Python's own `hash` would not.
    """

    __slots__ = ("_cumulative", "_names", "_random", "_seeds", "_weights")

    def __init__(self, weights: Mapping[str, int], salt: str, random: Random) -> None:
        """Prepares the choice.

        Args:
            weights: Backend -> weight; those with 0 get nothing, and there has to be another.
            salt: Makes the choices of one route independent of another's.
            random: Draws where there is no value.
        """
        given = {name: weight for name, weight in weights.items() if weight}
        self._names = tuple(given)
        self._weights = tuple(given.values())
        self._cumulative = tuple(accumulate(self._weights))
        self._seeds = tuple(hashlib.blake2b(f"{salt}\0{name}\0".encode(), digest_size=8) for name in given)
        self._random = random

    @property
    def names(self) -> tuple[str, ...]:
        """All that can be chosen."""
        return self._names

    def at_random(self) -> str:
        """Draws a backend."""
        if len(self._names) == 1:
            return self._names[0]
        return self._names[bisect(self._cumulative, self._random.random() * self._cumulative[-1])]

    def by(self, value: bytes) -> str:
        """The backend of a value."""
        if len(self._names) == 1:
            return self._names[0]
        best, chosen = 0.0, self._names[0]
        for name, weight, seed in zip(self._names, self._weights, self._seeds, strict=True):
            hasher = seed.copy()
            hasher.update(value)
            number = (int.from_bytes(hasher.digest()) >> (64 - _BITS)) + 0.5
            score = -weight / math.log(number / (1 << _BITS))
            if score > best:
                best, chosen = score, name
        return chosen
