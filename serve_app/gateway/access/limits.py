"""How much a caller may ask for."""

from serve_app.gateway.access.lease import Lease
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.limit_state import LimitState
from serve_app.gateway.access.limit_usage import Usage, usage_of
from serve_app.gateway.access.refusals import limit_headers, refusal
from serve_app.gateway.access.rules import RuleBook
from serve_app.gateway.access.store import Store
from serve_app.gateway.api.errors import ApiError, Header
from serve_app.gateway.exchange.caller import Caller


class Grant:
    """A request that was let in. It has to be settled, whatever becomes of the request."""

    __slots__ = ("_lease", "_metrics", "_store", "headers")

    def __init__(self, headers: list[Header], store: Store, lease: Lease, metrics: LimitMetrics) -> None:
        """Takes what the limiter knows of it.

        Args:
            headers: For the response.
            store: Where it counts.
            lease: What it holds there.
            metrics: Where refusals are counted.
        """
        self.headers = headers
        self._store = store
        self._lease: Lease | None = lease
        self._metrics = metrics

    async def reserve(self, tokens: int, cost: int) -> None:
        """Reserves what the request may take, in place of what was reserved before.

        Args:
            tokens: Prompt and answer together.
            cost: In millionths of the currency's unit.

        Raises:
            ApiError: 429 as `Limiter.enter`; the request does not count then, and the grant is settled.
        """
        lease = self._lease
        if lease is None or not any(rule.reserves for rule in lease.rules):
            return
        states = await self._store.reserve(lease, tokens, cost)
        if not all(state.affords for state in states):
            self._lease = None
            raise _refused(states, self._metrics, reserving=True)

    def settle(self, tokens: int, cost: int) -> None:
        """Ends the request and charges what it took in place of what it reserved; the second time it does nothing.

        Args:
            tokens: Prompt and answer together.
            cost: In millionths of the currency's unit.
        """
        lease, self._lease = self._lease, None
        if lease is not None:
            self._store.settle(lease, tokens, cost)


class _Unlimited(Grant):
    """Of callers without limits: nothing is counted."""

    def __init__(self) -> None:
        self.headers = []

    async def reserve(self, tokens: int, cost: int) -> None:
        """Reserves nothing."""

    def settle(self, tokens: int, cost: int) -> None:
        """Charges nothing."""


NO_GRANT = _Unlimited()


class Limiter:
    """Lets requests in while all policies of their caller allow it.

    What a request takes is known when it has ended. Until then it reserves an estimate, and another is let in only
    while there are tokens and money that nobody has used or reserved. So the last one to be let in may pass a limit, by
    its own estimate at most, and all others together do not pass it, as long as none takes more than its estimate.
    """

    def __init__(self, store: Store, metrics: LimitMetrics) -> None:
        """Starts without callers.

        Args:
            store: Where requests are counted; see `store.opened`.
            metrics: Where refusals are counted.
        """
        self._store = store
        self._metrics = metrics
        self._book = RuleBook()

    async def enter(self, caller: Caller, tokens: int = 0, cost: int = 0) -> Grant:
        """Lets a request in.

        Args:
            caller: Who sends it.
            tokens: What it may take, prompt and answer together, if that is known already; see `Grant.reserve`.
            cost: What it may cost, in millionths of the currency's unit.

        Raises:
            ApiError: 429 `rate_limit_exceeded`, or `insufficient_quota` where the month's budget is used up.
        """
        rules = self._book.of(caller)
        if not rules:
            return NO_GRANT
        lease = Lease(rules, tokens, cost)
        states = await self._store.enter(lease)
        for state in states:
            if not state.open:
                raise _refused(states, self._metrics, reserving=False)
        return Grant(limit_headers(states, let_in=True), self._store, lease, self._metrics)

    async def usage(self, caller: Caller) -> Usage:
        """A caller's limits and how they stand, as JSON; it costs the caller nothing."""
        rules = self._book.of(caller)
        states = await self._store.read(rules) if rules else []
        return usage_of(caller, states, shared=self._store.shared)


def _refused(states: list[LimitState], metrics: LimitMetrics, *, reserving: bool) -> ApiError:
    state, limit, error = refusal(states, reserving=reserving)
    metrics.rejected(state.rule.kind, limit)
    return error
