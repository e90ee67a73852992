"""Where limits are counted."""

import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from serve_app.gateway.access.lease import Lease
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.limit_state import LimitState
from serve_app.gateway.access.memory_store import MemoryStore
from serve_app.gateway.access.redis_batches import BatchingRedis, connection_pool
from serve_app.gateway.access.redis_store import RedisStore
from serve_app.gateway.access.rules import Rules
from serve_app.gateway.access.shared_store import SharedStore
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.settings.gateway import Redis


class Store(Protocol):
    """Counts requests. It raises nothing: no request fails because of it."""

    @property
    def shared(self) -> bool:
        """Whether the counts are those of all replicas."""

    async def enter(self, lease: Lease) -> list[LimitState]:
        """Lets a request in and reserves for it, if all scopes do, and returns how they stood before."""

    async def reserve(self, lease: Lease, tokens: int, cost: int) -> list[LimitState]:
        """Reserves for a request that is in, if all scopes can afford it; otherwise the request was never there.

        Returns:
            How the scopes stood before.
        """

    async def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""

    def settle(self, lease: Lease, tokens: int, cost: int) -> None:
        """Ends a request that was let in, and charges it."""


class ReplicaStore:
    """Counts what this replica does, where there is no Redis: three replicas let three times as much in."""

    shared = False

    def __init__(self) -> None:
        self._memory = MemoryStore()

    async def enter(self, lease: Lease) -> list[LimitState]:
        """Lets a request in and reserves for it, if all scopes do, and returns how they stood before."""
        return self._memory.enter(lease)

    async def reserve(self, lease: Lease, tokens: int, cost: int) -> list[LimitState]:
        """Reserves for a request that is in, if all scopes can afford it; otherwise the request was never there.

        Returns:
            How the scopes stood before.
        """
        return self._memory.reserve(lease, tokens, cost)

    async def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""
        return self._memory.read(rules)

    def settle(self, lease: Lease, tokens: int, cost: int) -> None:
        """Ends a request that was let in, and charges it."""
        self._memory.release(lease)
        self._memory.charge(lease.rules, tokens, cost)


@contextlib.asynccontextmanager
async def opened(
    config: Redis | None, password: str | None, metrics: LimitMetrics, supervisor: Supervisor
) -> AsyncIterator[Store]:
    """The store of a gateway. Redis need not be there (yet).

    Args:
        config: Where Redis is; None for limits of this replica only.
        password: Redis's password, if it has one.
        metrics: Where refusals and failures are counted.
        supervisor: Runs what looks after Redis.
    """
    if config is None:
        yield ReplicaStore()
        return
    pool = connection_pool(config.url, password=password, timeout_seconds=config.timeout_seconds)
    client = BatchingRedis(pool)
    try:
        shared = SharedStore(RedisStore(client), metrics, timeout_seconds=config.timeout_seconds)
        async with shared.tended(supervisor) as store:
            yield store
    finally:
        await pool.aclose()
