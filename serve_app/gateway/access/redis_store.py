"""Limits of all replicas, in Redis."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, cast

from redis.asyncio import Redis

from serve_app.gateway.access import redis_scripts
from serve_app.gateway.access.lease import Lease
from serve_app.gateway.access.limit_state import LimitState
from serve_app.gateway.access.months import this_month
from serve_app.gateway.access.rules import Rule, Rules
from serve_app.gateway.access.windows import EMPTY, Window

PREFIX = "ray-vllm-gateway"

_NUMBERS = 9
"""What `ENTER` answers for each scope."""
_RENEWED_AT_ONCE = 500


class RedisStore:
    """Counts what all replicas do. Each operation is one command; failures of Redis are the caller's to handle."""

    def __init__(self, client: Redis) -> None:
        """Registers the scripts.

        Args:
            client: Has to keep the order of what is sent.
        """
        self._client = client
        self._enter = client.register_script(redis_scripts.ENTER)
        self._settle = client.register_script(redis_scripts.SETTLE)
        self._renew = client.register_script(redis_scripts.RENEW)
        self._add = client.register_script(redis_scripts.ADD)

    async def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""
        return await self._run("look", "", rules, 0, 0)

    async def enter(self, lease: Lease) -> list[LimitState]:
        """Lets a request in and reserves for it, if all scopes do, and returns how they stood before."""
        return await self._run("enter", lease.id, lease.rules, lease.tokens, lease.cost)

    async def reserve(self, lease: Lease, tokens: int, cost: int) -> list[LimitState]:
        """Reserves for a request that is in, if all scopes can afford it; otherwise the request was never there.

        Returns:
            How the scopes stood before.
        """
        return await self._run("reserve", lease.id, lease.rules, tokens, cost)

    async def settle(self, lease: Lease, tokens: int, cost: int) -> None:
        """Ends a request and charges it; the second time it does nothing."""
        leased = [rule for rule in lease.rules if rule.leased]
        if leased:
            await self._settle(_keys(leased), [lease.id, tokens, cost, *(int(rule.reserves) for rule in leased)])

    async def renew(self, leases: Iterable[Lease]) -> None:
        """Keeps running requests from being forgotten, and makes those known that are not yet."""
        by_scope: dict[str, list[Lease]] = {}
        for lease in leases:
            for rule in lease.rules:
                if rule.leased:
                    by_scope.setdefault(rule.scope, []).append(lease)
        # All are sent before anything else can be, so that none comes after its request's end.
        await asyncio.gather(
            *(
                self._renew(_scope_keys(scope)[:3], _reservations(of_scope[start : start + _RENEWED_AT_ONCE]))
                for scope, of_scope in by_scope.items()
                for start in range(0, len(of_scope), _RENEWED_AT_ONCE)
            )
        )

    async def add(self, name: str, months: Mapping[tuple[str, str], Sequence[int]]) -> None:
        """Counts what a replica counted by itself; the second time it does nothing.

        Args:
            name: The addition's own.
            months: Scope and month -> tokens and cost.
        """
        keys = [f"{PREFIX}:added/{name}", *(_month_key(*each) for each in months)]
        await self._add(keys, [number for numbers in months.values() for number in numbers])

    async def ping(self) -> None:
        """Asks for a sign of life."""
        await cast("Awaitable[object]", self._client.ping())

    async def _run(
        self, mode: Literal["look", "enter", "reserve"], lease: str, rules: Rules, tokens: int, cost: int
    ) -> list[LimitState]:
        arguments: list[str | int] = [mode, lease, tokens, cost]
        for rule in rules:
            arguments += (int(rule.leased), rule.requests, rule.tokens)
            arguments += (rule.concurrent, rule.monthly_tokens, rule.monthly_cost)
        left_ms, *numbers = await self._enter(_keys(rules), arguments)
        starts = range(0, len(numbers), _NUMBERS)
        return [
            _state(rule, left_ms, numbers[start : start + _NUMBERS]) for rule, start in zip(rules, starts, strict=True)
        ]


@lru_cache(maxsize=10_000)
def _scope_keys(scope: str) -> tuple[str, ...]:
    """All keys of a scope but the month's."""
    return tuple(f"{PREFIX}:{kind}/{scope}" for kind in ("counts", "leases", "expired"))


@lru_cache(maxsize=10_000)
def _month_key(scope: str, month: str) -> str:
    return f"{PREFIX}:month/{scope}/{month}"


def _keys(rules: Rules) -> list[str]:
    month = this_month()
    keys: list[str] = []
    for rule in rules:
        keys += _scope_keys(rule.scope)
        keys.append(_month_key(rule.scope, month))
    return keys


def _reservations(leases: Iterable[Lease]) -> list[str | int]:
    return [each for lease in leases for each in (lease.id, lease.tokens, lease.cost)]


def _state(rule: Rule, left_ms: int, numbers: Sequence[int]) -> LimitState:
    requests = Window(numbers[0], numbers[1], left_ms) if rule.requests else EMPTY
    tokens = Window(numbers[2], numbers[3], left_ms) if rule.tokens else EMPTY
    return LimitState(rule, requests, tokens, *numbers[4:])
