"""Limits of all replicas, in Redis."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from functools import lru_cache
from typing import cast

from redis.asyncio import Redis

from serve_app.gateway.access import redis_scripts
from serve_app.gateway.access.budget import budget_key
from serve_app.gateway.access.rules import LimitState, Rule, Rules
from serve_app.gateway.access.windows import Window

PREFIX = "ray-vllm-gateway"

_NUMBERS = 10
"""What `ENTER` answers for each scope."""
_RENEWED_AT_ONCE = 500


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
        return await self.take(rules, lease="")

    async def take(self, rules: Rules, lease: str) -> list[LimitState]:
        """Lets a request in, if all scopes do, and returns how they stood.

        Args:
            rules: What limits the caller.
            lease: The request's own; empty to look only.
        """
        numbers = await self._enter(_keys(rules), [lease, *_limits(rules)])
        return [
            _state(rule, numbers[start : start + _NUMBERS])
            for rule, start in zip(rules, range(0, len(numbers), _NUMBERS), strict=True)
        ]

    async def leave(self, rules: Rules, lease: str, tokens: int) -> None:
        """Ends a request."""
        await self._leave(_keys(rules), [lease, tokens, *_limits(rules)])

    async def renew(self, leases: Mapping[str, Sequence[str]]) -> None:
        """Keeps running requests from being forgotten.

        Args:
            leases: Scope -> its leases.
        """
        # All are sent before anything else can be, so that none comes after its request's end.
        await asyncio.gather(
            *(
                self._renew([_scope_keys(scope)[4]], of_scope[start : start + _RENEWED_AT_ONCE])
                for scope, of_scope in leases.items()
                for start in range(0, len(of_scope), _RENEWED_AT_ONCE)
            )
        )

    async def release(self, leases: Mapping[str, Sequence[str]]) -> None:
        """Forgets running requests, by scope."""
        await asyncio.gather(
            *(self._client.zrem(_scope_keys(scope)[4], *of_scope) for scope, of_scope in leases.items())
        )

    async def add(self, tokens: Mapping[str, int]) -> None:
        """Counts tokens of months, by `budget_key`."""
        await self._add([f"{PREFIX}:{key}" for key in tokens], list(tokens.values()))

    async def ping(self) -> None:
        """Asks for a sign of life."""
        await cast("Awaitable[object]", self._client.ping())


@lru_cache(maxsize=10_000)
def _scope_keys(scope: str) -> tuple[bytes, ...]:
    """All keys of a scope but the month's; the windows' are named as the library names them."""
    windows = [f"{{{kind}/{scope}}}{minute}" for kind in ("requests", "tokens") for minute in ("", "/-1")]
    return tuple(f"{PREFIX}:{name}".encode() for name in (*windows, f"running/{scope}"))


def _keys(rules: Rules) -> list[bytes]:
    keys: list[bytes] = []
    for rule in rules:
        keys += _scope_keys(rule.scope)
        keys.append(f"{PREFIX}:{budget_key(rule.scope)}".encode())
    return keys


def _limits(rules: Rules) -> list[int]:
    limits: list[int] = []
    for rule in rules:
        limits += (rule.requests, rule.tokens, rule.concurrent, rule.budget)
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
    )
