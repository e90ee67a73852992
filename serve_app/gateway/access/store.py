"""Where limits are counted."""

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from serve_app.gateway.access.charge import Charge
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.memory_store import MemoryStore
from serve_app.gateway.access.redis_batches import BatchingRedis, connection_pool
from serve_app.gateway.access.redis_store import RedisStore
from serve_app.gateway.access.rules import LimitState, Rules
from serve_app.gateway.access.shared_store import SharedStore
from serve_app.settings.gateway import Redis


class Store(Protocol):
    """Counts requests, each known by a number of its own. It raises nothing: no request fails because of it."""

    @property
    def shared(self) -> bool:
        """Whether the counts are those of all replicas."""

    async def take(self, rules: Rules, number: int, charge: Charge) -> list[LimitState]:
        """Lets a request in and reserves its charge, if all scopes are open; returns how they stood."""

    async def reserve(self, rules: Rules, charge: Charge) -> list[LimitState]:
        """Reserves the charge of a request that was let in, if all scopes have tokens and money left."""

    async def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""

    def leave(self, rules: Rules, number: int, charge: Charge) -> None:
        """Ends a request that was let in; the charge is what it took beside its reservation."""


class ReplicaStore:
    """Counts what this replica does, where there is no Redis: three replicas let three times as much in."""

    shared = False

    def __init__(self) -> None:
        self._memory = MemoryStore()

    async def take(self, rules: Rules, number: int, charge: Charge) -> list[LimitState]:
        """See `Store`."""
        return self._memory.take(rules, charge)

    async def reserve(self, rules: Rules, charge: Charge) -> list[LimitState]:
        """See `Store`."""
        return self._memory.reserve(rules, charge)

    async def read(self, rules: Rules) -> list[LimitState]:
        """See `Store`."""
        return self._memory.read(rules)

    def leave(self, rules: Rules, number: int, charge: Charge) -> None:
        """See `Store`."""
        self._memory.release(rules)
        self._memory.charge(rules, charge)


@contextlib.asynccontextmanager
async def opened(config: Redis | None, password: str | None, metrics: LimitMetrics) -> AsyncIterator[Store]:
    """The store of a gateway. Redis need not be there (yet).

    Args:
        config: Where Redis is; None for limits of this replica only.
        password: Redis's password, if it has one.
        metrics: Where refusals and failures are counted.
    """
    if config is None:
        yield ReplicaStore()
        return
    pool = connection_pool(config.url, password=password, timeout_seconds=config.timeout_seconds)
    client = BatchingRedis(pool)
    try:
        async with SharedStore(RedisStore(client), metrics, timeout_seconds=config.timeout_seconds).tended() as store:
            yield store
    finally:
        await pool.aclose()
