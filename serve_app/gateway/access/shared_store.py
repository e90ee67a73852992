"""Limits of all replicas while Redis answers in time, of this replica while it does not."""

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable

from redis.exceptions import RedisError

from serve_app.gateway.access.debts import Debts
from serve_app.gateway.access.lease import Lease
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.limit_state import LimitState
from serve_app.gateway.access.memory_store import MemoryStore
from serve_app.gateway.access.redis_scripts import LEASE_SECONDS
from serve_app.gateway.access.redis_store import RedisStore
from serve_app.gateway.access.rules import Rules
from serve_app.gateway.background.supervisor import Supervisor

logger = logging.getLogger(__name__)

PROBE_SECONDS = 1.0
"""How often Redis is looked after."""

_RENEW_SECONDS = LEASE_SECONDS / 3
_SETTLED_AT_ONCE = 200
_FAILURES = (RedisError, OSError, TimeoutError)


class SharedStore:
    """Asks Redis first.

    The first request that Redis fails, or keeps waiting for longer than the time-out, goes on by this replica's own
    counts, and so do all others without asking, until Redis answers in the background. Then it is told what it missed
    of running requests and of monthly budgets; its windows go on as they were.
    """

    def __init__(
        self, redis: RedisStore, metrics: LimitMetrics, *, timeout_seconds: float, probe_seconds: float = PROBE_SECONDS
    ) -> None:
        """Nothing is shared before Redis's first answer.

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
        self._numbers = itertools.count(1)
        self._shared: bool | None = None
        self._running: dict[str, Lease] = {}
        self._debts = Debts(self._replica)
        self._renewed_at = float("-inf")
        self._tasks: set[asyncio.Future[None]] = set()

    @property
    def shared(self) -> bool:
        """Whether the counts are those of all replicas."""
        return bool(self._shared)

    async def enter(self, lease: Lease) -> list[LimitState]:
        """Lets a request in and reserves for it, if all scopes do, and returns how they stood before."""
        lease.id = f"{self._replica}/{next(self._numbers)}"
        states = await self._enter_shared(lease) if self._shared else None
        if states is None:
            states = self._memory.enter(lease)
            let_in = all(state.open for state in states)
            if lease.sent and not let_in:
                self._debts.settle(lease, 0, 0)
        elif let_in := all(state.open for state in states):
            self._memory.hold(lease)
        if let_in:
            self._running[lease.id] = lease
        return states

    async def reserve(self, lease: Lease, tokens: int, cost: int) -> list[LimitState]:
        """Reserves for a request that is in, if all scopes can afford it; otherwise the request was never there.

        Returns:
            How the scopes stood before.
        """
        if self._shared and lease.confirmed:
            self._memory.change(lease, tokens, cost)  # first: the lease may be renewed while Redis is asked
            states = await self._ask(self._redis.reserve(lease, tokens, cost))
            if states is not None:
                if not all(state.affords for state in states):
                    del self._running[lease.id]
                    self._memory.release(lease)
                return states
            self._memory.change(lease, 0, 0)
        states = self._memory.reserve(lease, tokens, cost)
        if not all(state.affords for state in states):
            del self._running[lease.id]
            if lease.sent:
                self._debts.settle(lease, 0, 0)
        return states

    async def read(self, rules: Rules) -> list[LimitState]:
        """How the scopes stand."""
        states = await self._ask(self._redis.read(rules)) if self._shared else None
        return self._memory.read(rules) if states is None else states

    def settle(self, lease: Lease, tokens: int, cost: int) -> None:
        """Ends a request that was let in, and charges it."""
        del self._running[lease.id]
        self._memory.release(lease)
        if self._shared and lease.confirmed:
            self._start(self._settle_shared(lease, tokens, cost))
            return
        self._memory.charge(lease.rules, tokens, cost)
        self._debts.charge(lease.rules, tokens, cost)
        if lease.sent:
            self._debts.settle(lease, 0, 0)

    @contextlib.asynccontextmanager
    async def tended(self, supervisor: Supervisor) -> AsyncIterator["SharedStore"]:
        """Looks after Redis and the leases meanwhile; in the end Redis is told what it does not know yet."""
        await self._tend()
        tending = supervisor.run_forever("shared limits", self._tend_forever)
        try:
            yield self
        finally:
            tending.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=self._timeout)
            if self._shared and self._debts:
                await self._pay()

    async def _enter_shared(self, lease: Lease) -> list[LimitState] | None:
        lease.sent = True
        try:
            states = await self._ask(self._redis.enter(lease))
        except asyncio.CancelledError:  # the client left; what was sent is carried out all the same
            self._start(self._settle_shared(lease, 0, 0))
            raise
        if states is None:
            return None
        lease.confirmed = True
        for state in states if self._shared else ():
            if state.rule.reserves:
                self._memory.saw(state)
        return states

    async def _settle_shared(self, lease: Lease, tokens: int, cost: int) -> None:
        if not await self._try(self._redis.settle(lease, tokens, cost)):
            self._memory.charge(lease.rules, tokens, cost)
            self._debts.settle(lease, tokens, cost)

    async def _ask(self, operation: Awaitable[list[LimitState]]) -> list[LimitState] | None:
        """What Redis answers; None if it fails."""
        try:
            async with asyncio.timeout(self._timeout):
                return await operation
        except _FAILURES as error:
            self._failed(error)
            return None

    async def _try(self, operation: Awaitable[object]) -> bool:
        """Whether Redis has done it for sure."""
        try:
            async with asyncio.timeout(self._timeout):
                await operation
        except _FAILURES as error:
            self._failed(error)
            return False
        return True

    def _start(self, operation: Awaitable[None]) -> None:
        task = asyncio.ensure_future(operation)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _failed(self, error: BaseException) -> None:
        self._metrics.store_errors.inc()
        if self._shared is not False:
            self._shared = False
            self._metrics.shared.set(0)
            why = str(error) or f"no answer in {self._timeout:g} s"
            logger.error("Redis failed, limits are this replica's own until it answers again: %s", why)

    async def _tend_forever(self) -> None:
        while True:
            await asyncio.sleep(self._probe)
            await self._tend()

    async def _tend(self) -> None:
        """Asks whether Redis is there, renews leases, pays debts, and goes back to Redis after a failure.

        A replica without limited requests asks too, so that every replica says within a probe that Redis is lost.
        """
        now = asyncio.get_running_loop().time()
        all_due = not self._shared or now - self._renewed_at >= _RENEW_SECONDS
        if not await self._try(self._redis.ping()):
            return
        leases = [lease for lease in self._running.values() if all_due or not lease.confirmed]
        if not (await self._renew(leases) and await self._pay()):
            return
        if all_due:
            self._renewed_at = now
        if not self._shared:
            self._shared = True
            self._metrics.shared.set(1)
            logger.info("limits are shared through Redis")

    async def _renew(self, leases: list[Lease]) -> bool:
        for lease in leases:
            lease.sent = True
        if leases and not await self._try(self._redis.renew(leases)):
            return False
        for lease in leases:
            lease.confirmed = True
        return True

    async def _pay(self) -> bool:
        owed = list(self._debts.settlements.values())
        for start in range(0, len(owed), _SETTLED_AT_ONCE):
            some = owed[start : start + _SETTLED_AT_ONCE]
            if not await self._try(asyncio.gather(*(self._redis.settle(*each) for each in some))):
                return False
            for each in some:
                del self._debts.settlements[each.lease.id]
        self._debts.name_addition()
        for name, months in list(self._debts.additions.items()):
            if not await self._try(self._redis.add(name, months)):
                return False
            del self._debts.additions[name]
        return True
