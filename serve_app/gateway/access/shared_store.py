"""Limits of all replicas while Redis answers in time, of this replica while it does not."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping

from redis.exceptions import RedisError

from serve_app.gateway.access.budget import budget_key
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.memory_store import MemoryStore
from serve_app.gateway.access.redis_scripts import LEASE_SECONDS
from serve_app.gateway.access.redis_store import RedisStore
from serve_app.gateway.access.rules import LimitState, Rules

logger = logging.getLogger(__name__)

PROBE_SECONDS = 1.0
"""How often Redis is asked for a sign of life after a failure."""

_RENEW_SECONDS = LEASE_SECONDS / 3
_FAILURES = (RedisError, OSError, TimeoutError)


class SharedStore:
    """Asks Redis first.

    The first request that Redis fails, or keeps waiting for longer than the time-out, goes on by this replica's own
    counts, and so do all others without asking, until Redis answers a question in the background. Then it is told what
    it missed of running requests and of monthly budgets; its windows go on as they were.
    """

    def __init__(
        self, redis: RedisStore, metrics: LimitMetrics, *, timeout_seconds: float, probe_seconds: float = PROBE_SECONDS
    ) -> None:
        """Joins the parts; nothing is shared before the first answer of Redis.

        Args:
            redis: The counts of all replicas.
            metrics: Where failures are counted.
            timeout_seconds: How long a request may wait for Redis.
            probe_seconds: How often Redis is looked after.
        """
        self._redis = redis
        self._memory = MemoryStore()
        self._metrics = metrics
        self._timeout = timeout_seconds
        self._probe = probe_seconds
        self._replica = secrets.token_hex(8)
        self._shared: bool | None = None
        self._running: dict[str, Rules] = {}
        self._doubtful: dict[str, Rules] = {}
        """Leases that Redis may have and not know the end of."""
        self._tasks: set[asyncio.Future[object]] = set()

    @property
    def shared(self) -> bool:
        """Whether the counts are those of all replicas."""
        return bool(self._shared)

    async def take(self, rules: Rules, number: int) -> list[LimitState]:
        """Lets a request in, if all scopes do, and returns how they stood."""
        lease = f"{self._replica}/{number}"
        states = await self._take_shared(rules, lease) if self._shared else None
        if states is None:
            states = self._memory.take(rules)
        elif all(state.open for state in states):
            self._memory.hold(rules)
        if all(state.open for state in states):
            self._running[lease] = rules
        return states

    async def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""
        if self._shared:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._redis.read(rules)
            except _FAILURES as error:
                self._failed(error)
        return self._memory.read(rules)

    def leave(self, rules: Rules, number: int, tokens: int) -> None:
        """Ends a request that was let in."""
        lease = f"{self._replica}/{number}"
        self._running.pop(lease, None)
        self._memory.release(rules)
        if self._shared:
            self._start(self._leave_shared(rules, lease, tokens))
        else:
            self._memory.charge(rules, tokens)

    @contextlib.asynccontextmanager
    async def tended(self) -> AsyncIterator["SharedStore"]:
        """Looks after Redis and the leases meanwhile; in the end it waits for what Redis is still to be told."""
        await self._tend()
        tending = asyncio.create_task(self._tend_forever())
        try:
            yield self
        finally:
            tending.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=self._timeout)

    async def _take_shared(self, rules: Rules, lease: str) -> list[LimitState] | None:
        try:
            async with asyncio.timeout(self._timeout):
                states = await self._redis.take(rules, lease)
        except _FAILURES as error:
            self._failed(error)
            self._doubtful[lease] = rules
            return None
        except asyncio.CancelledError:  # the client left; what was sent is carried out all the same
            self._start(self._try(self._redis.leave(rules, lease, 0)))
            raise
        for state in states:
            if state.rule.budget:
                self._memory.budgets.saw(budget_key(state.rule.scope), state.used)
        return states

    async def _leave_shared(self, rules: Rules, lease: str, tokens: int) -> None:
        if not await self._try(self._redis.leave(rules, lease, tokens)):
            self._memory.charge(rules, tokens)
            self._doubtful[lease] = rules

    async def _try(self, operation: Coroutine[object, object, None]) -> bool:
        try:
            async with asyncio.timeout(self._timeout):
                await operation
        except _FAILURES as error:
            self._failed(error)
            return False
        return True

    def _start(self, operation: Coroutine[object, object, object]) -> None:
        task = asyncio.ensure_future(operation)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _failed(self, error: BaseException) -> None:
        self._metrics.store_errors.inc()
        if self._shared is not False:
            self._shared = False
            self._doubtful |= self._running
            self._metrics.shared.set(0)
            why = str(error) or f"no answer in {self._timeout:g} s"
            logger.error("Redis failed, limits are this replica's own until it answers again: %s", why)

    async def _tend_forever(self) -> None:
        loop = asyncio.get_running_loop()
        renewed_at = loop.time()
        while True:
            await asyncio.sleep(self._probe)
            if not self._shared or loop.time() - renewed_at >= _RENEW_SECONDS:
                renewed_at = loop.time()
                await self._tend()

    async def _tend(self) -> None:
        """Brings Redis up to date, and goes back to it after a failure."""
        if not (await self._try(self._redis.ping()) and await self._settle()):
            return
        if not self._shared:
            self._shared = True
            self._metrics.shared.set(1)
            logger.info("limits are shared through Redis")

    async def _settle(self) -> bool:
        """Tells Redis which requests run, which do not any more, and the months' tokens that it missed.

        Tokens that it does not confirm in time are told again.
        """
        if not await self._try(self._redis.renew(_by_scope(self._running))):
            return False
        ended = {lease: rules for lease, rules in self._doubtful.items() if lease not in self._running}
        if not await self._try(self._redis.release(_by_scope(ended))):
            return False
        self._doubtful.clear()
        unsent = self._memory.budgets.take_unsent()
        if not await self._try(self._redis.add(unsent)):
            for key, tokens in unsent.items():
                self._memory.budgets.charge(key, tokens)
            return False
        return True


def _by_scope(leases: Mapping[str, Rules]) -> dict[str, list[str]]:
    """The leases of each scope that limits running requests."""
    by_scope: dict[str, list[str]] = {}
    for lease, rules in leases.items():
        for rule in rules:
            if rule.concurrent:
                by_scope.setdefault(rule.scope, []).append(lease)
    return by_scope
