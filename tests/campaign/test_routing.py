"""Prefix-affinity against round-robin: two replicas each, the same load, one policy after the other."""

import statistics
from typing import Any

from tests.campaign.added import added, smollm2
from tests.campaign.shared_prefixes import Round, ask, texts
from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.stack import Stack

PREFIXES, WORDS, CONCURRENCY, SECONDS, ROUNDS = 16, 525, 4, 45, 3
TOKENS_CACHED = 44 * 128
"""Of each replica, in blocks of 128: four for each of half of the texts, and some for the requests that run."""
BYTES_PER_TOKEN = 30 * 2 * 3 * 64 * 4
"""SmolLM2: layers, keys and values, heads, dimensions, bytes."""


def test_prefix_affinity_finds_prefixes_where_they_are(stack: Stack, serve: Serve) -> None:
    """Each replica's cache holds half of the texts: split between the two they all fit."""
    entry = {
        **smollm2(kv_cache_memory_bytes=TOKENS_CACHED * BYTES_PER_TOKEN),
        "replicas": {"min": 2, "max": 2},
    }
    found = {policy: measured(stack, serve, policy, entry) for policy in ("round-robin", "prefix-affinity")}
    rate = {policy: statistics.median(each.per_second for each in rounds) for policy, rounds in found.items()}
    hits = {policy: statistics.median(each.hit_rate for each in rounds) for policy, rounds in found.items()}
    note(f"prefix-affinity: {rate['prefix-affinity'] / rate['round-robin']:.1f} times the requests/s of round-robin")
    assert hits["prefix-affinity"] > hits["round-robin"] + 0.1
    assert rate["prefix-affinity"] > rate["round-robin"]


def measured(stack: Stack, serve: Serve, policy: str, entry: dict[str, Any]) -> list[Round]:
    """Rounds of a model with this policy, which is there for them only: four engines and their routers take 20 GiB.

    The first, which fills the caches, is not counted.
    """
    prefixes = texts(PREFIXES, WORDS)
    rounds = []
    with added(stack, serve, {policy: {**entry, "routing": {"policy": policy}}}):
        for number in range(ROUNDS + 1):
            rounds.append(ask(stack, serve, policy, prefixes, SECONDS, CONCURRENCY, number))
            note(f"{f'round {number}' if number else 'filling'}: {policy:15} {rounds[-1]}")
    return rounds[1:]
