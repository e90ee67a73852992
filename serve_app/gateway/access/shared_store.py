"""Limits of all replicas while Redis answers in time, of this replica while it does not."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import NamedTuple

from redis.exceptions import RedisError

from serve_app.gateway.access.budget import budget_key, cost_key
from serve_app.gateway.access.charge import NOTHING, Charge
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.memory_store import MemoryStore
from serve_app.gateway.access.redis_scripts import LEASE_SECONDS
from serve_app.gateway.access.redis_store import RedisStore, Settlement
from serve_app.gateway.access.rules import LimitState, Rules

logger = logging.getLogger(__name__)

PROBE_SECONDS = 1.0
"""How often Redis is asked for a sign of life after a failure."""

_RENEW_SECONDS = LEASE_SECONDS / 3
_MOST_UNSETTLED = 10_000
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
        self._number = 0
        self._unsettled: dict[Settlement, _Leave] = {}
        """What Redis has not confirmed."""
        self._adding: tuple[Settlement, dict[str, int]] | None = None
        """Amounts of months that are being told, and are seen by nobody else meanwhile."""
        self._doubtful: dict[str, Rules] = {}
        """Leases that Redis may have and not know the end of."""
        self._tasks: set[asyncio.Future[object]] = set()

    @property
    def shared(self) -> bool:
        """Whether the counts are those of all replicas."""
        return bool(self._shared)

    async def take(self, rules: Rules, number: int, charge: Charge) -> list[LimitState]:
        """See `Store`."""
        lease = f"{self._replica}/{number}"
        states = await self._take_shared(rules, lease, charge) if self._shared else None
        if states is None:
            states = self._memory.take(rules, charge)
        elif all(state.open for state in states):
            self._memory.hold(rules)
        if all(state.open for state in states):
            self._running[lease] = rules
        return states

    async def reserve(self, rules: Rules, charge: Charge) -> list[LimitState]:
        """See `Store`."""
        if self._shared:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._redis.reserve(rules, charge)
            except _FAILURES as error:
                self._failed(error)
        return self._memory.reserve(rules, charge)

    async def read(self, rules: Rules) -> list[LimitState]:
        """See `Store`."""
        if self._shared:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._redis.read(rules)
            except _FAILURES as error:
                self._failed(error)
        return self._memory.read(rules)

    def leave(self, rules: Rules, number: int, charge: Charge) -> None:
        """See `Store`."""
        lease = f"{self._replica}/{number}"
        self._running.pop(lease, None)
        self._memory.release(rules)
        if self._shared:
            self._settle_soon(_Leave(rules, lease, charge))
        else:
            self._memory.charge(rules, charge)

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

    async def _take_shared(self, rules: Rules, lease: str, charge: Charge) -> list[LimitState] | None:
        try:
            async with asyncio.timeout(self._timeout):
                states = await self._redis.take(rules, lease, charge)
        except _FAILURES as error:
            self._failed(error)
            self._doubtful[lease] = rules
            return None
        except asyncio.CancelledError:  # the client left; what was sent is carried out all the same
            self._settle_soon(_Leave(rules, lease, NOTHING.beyond(charge)))
            raise
        for state in states:
            if state.rule.budget:
                self._memory.budgets.saw(budget_key(state.rule.scope), state.used)
            if state.rule.cost:
                self._memory.budgets.saw(cost_key(state.rule.scope), state.spent)
        return states

    def _settle_soon(self, leave: "_Leave") -> None:
        self._number += 1
        settlement = Settlement(self._replica, self._number)
        self._unsettled[settlement] = leave
        if len(self._unsettled) > _MOST_UNSETTLED:  # Redis is away for long: charged here, told when it is back
            oldest, given_up = next(iter(self._unsettled.items()))
            del self._unsettled[oldest]
            self._memory.charge(given_up.rules, given_up.charge)
        self._start(self._settle_one(settlement, leave))

    async def _settle_one(self, settlement: Settlement, leave: "_Leave") -> bool:
        """Tells Redis the end of a request; what it did not confirm is told again, under its number."""
        if not await self._try(self._redis.leave(leave.rules, leave.lease, leave.charge, settlement)):
            return False
        self._unsettled.pop(settlement, None)
        return True

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
        """Tells Redis what it missed: which requests run, which do not any more, and the tokens and money of months.

        What it does not confirm in time is told again under the same number, so nothing counts twice.
        """
        for settlement, leave in list(self._unsettled.items()):
            if not await self._settle_one(settlement, leave):
                return False
        if not await self._try(self._redis.renew(_by_scope(self._running))):
            return False
        ended = {lease: rules for lease, rules in self._doubtful.items() if lease not in self._running}
        if not await self._try(self._redis.release(_by_scope(ended))):
            return False
        for lease in ended:
            del self._doubtful[lease]
        if self._adding is None and (unsent := self._memory.budgets.take_unsent()):
            self._number += 1
            self._adding = Settlement(self._replica, self._number), unsent
        if self._adding is not None:
            settlement, amounts = self._adding
            if not await self._try(self._redis.add(amounts, settlement)):
                return False
            self._adding = None
        return True


class _Leave(NamedTuple):
    """The end of a request, as Redis is to be told it."""

    rules: Rules
    lease: str
    charge: Charge


def _by_scope(leases: Mapping[str, Rules]) -> dict[str, list[str]]:
    """The leases of each scope that limits running requests."""
    by_scope: dict[str, list[str]] = {}
    for lease, rules in leases.items():
        for rule in rules:
            if rule.concurrent:
                by_scope.setdefault(rule.scope, []).append(lease)
    return by_scope
