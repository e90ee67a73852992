"""Limits of all replicas, in Redis."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, cast

from redis.asyncio import Redis

from serve_app.gateway.access import redis_scripts
from serve_app.gateway.access.budget import budget_key, cost_key
from serve_app.gateway.access.charge import NOTHING, Charge
from serve_app.gateway.access.rules import LimitState, Rule, Rules
from serve_app.gateway.access.windows import Window

PREFIX = "ray-vllm-gateway"

_NUMBERS = 11
"""What `ENTER` answers for each scope."""
_RENEWED_AT_ONCE = 500


class Settlement(NamedTuple):
    """The number of something that is settled, among all that a replica settles."""

    replica: str
    number: int


class RedisStore:
    """Counts what all replicas do. Each operation is one command; failures of Redis are the caller's matter."""

    def __init__(self, client: Redis) -> None:
        """Takes the connection, which has to keep the order of what is sent."""
        self._client = client
        self._enter = client.register_script(redis_scripts.ENTER)
        self._leave = client.register_script(redis_scripts.LEAVE)
        self._renew = client.register_script(redis_scripts.RENEW)
        self._add = client.register_script(redis_scripts.ADD)

    async def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""
        return await self._look(rules, "look", "", NOTHING)

    async def take(self, rules: Rules, lease: str, charge: Charge) -> list[LimitState]:
        """Lets a request in and reserves its charge, if all scopes are open; returns how they stood."""
        return await self._look(rules, "enter", lease, charge)

    async def reserve(self, rules: Rules, charge: Charge) -> list[LimitState]:
        """Reserves the charge of a request that was let in, if all scopes have tokens and money left."""
        return await self._look(rules, "reserve", "", charge)

    async def leave(self, rules: Rules, lease: str, charge: Charge, settlement: Settlement) -> None:
        """Ends a request; with the same settlement a second time it charges nothing.

        Args:
            rules: What limits the caller.
            lease: The request's own.
            charge: What it took beside its reservation.
            settlement: Its number among what this replica settles.
        """
        keys: list[bytes | str | memoryview] = [*_keys(rules), _settled_key(settlement)]
        await self._leave(keys, [lease, charge.tokens, charge.micros, settlement.number, *_limits(rules)])

    async def _look(self, rules: Rules, what: str, lease: str, charge: Charge) -> list[LimitState]:
        numbers = await self._enter(_keys(rules), [what, lease, charge.tokens, charge.micros, *_limits(rules)])
        return [
            _state(rule, numbers[start : start + _NUMBERS])
            for rule, start in zip(rules, range(0, len(numbers), _NUMBERS), strict=True)
        ]

    async def renew(self, leases: Mapping[str, Sequence[str]]) -> None:
        """Keeps running requests from being forgotten.

        Args:
            leases: Scope -> its leases.
        """
        # All are sent before anything else can be, so that none comes after its request's end.
        await asyncio.gather(
            *(
                self._renew([_scope_keys(scope)[2]], of_scope[start : start + _RENEWED_AT_ONCE])
                for scope, of_scope in leases.items()
                for start in range(0, len(of_scope), _RENEWED_AT_ONCE)
            )
        )

    async def release(self, leases: Mapping[str, Sequence[str]]) -> None:
        """Forgets running requests, by scope."""
        await asyncio.gather(
            *(self._client.zrem(_scope_keys(scope)[2], *of_scope) for scope, of_scope in leases.items())
        )

    async def add(self, amounts: Mapping[str, int], settlement: Settlement) -> None:
        """Adds to months, by `budget_key` and `cost_key`; with the same settlement a second time it adds nothing."""
        keys: list[bytes | str | memoryview] = [_settled_key(settlement)]
        keys += (f"{PREFIX}:{key}" for key in amounts)
        await self._add(keys, [settlement.number, *amounts.values()])

    async def ping(self) -> None:
        """Asks for a sign of life."""
        await cast("Awaitable[object]", self._client.ping())


def _settled_key(settlement: Settlement) -> bytes:
    return f"{PREFIX}:settled/{settlement.replica}".encode()


@lru_cache(maxsize=10_000)
def _scope_keys(scope: str) -> tuple[bytes, ...]:
    """All keys of a scope but the months'."""
    return tuple(f"{PREFIX}:{kind}/{scope}".encode() for kind in ("requests", "tokens", "running"))


def _keys(rules: Rules) -> list[bytes]:
    keys: list[bytes] = []
    for rule in rules:
        keys += _scope_keys(rule.scope)
        keys += (f"{PREFIX}:{key}".encode() for key in (budget_key(rule.scope), cost_key(rule.scope)))
    return keys


def _limits(rules: Rules) -> list[int]:
    limits: list[int] = []
    for rule in rules:
        limits += (rule.requests, rule.tokens, rule.concurrent, rule.budget, rule.cost)
    return limits


def _state(rule: Rule, numbers: Sequence[int]) -> LimitState:
    requests, requests_ms, more_requests, more_requests_ms = numbers[:4]
    tokens, tokens_ms, more_tokens, more_tokens_ms = numbers[4:8]
    return LimitState(
        rule,
        requests=Window(requests, requests_ms / 1000, more_requests, more_requests_ms / 1000),
        tokens=Window(tokens, tokens_ms / 1000, more_tokens, more_tokens_ms / 1000),
        running=numbers[8],
        used=numbers[9],
        spent=numbers[10],
    )
