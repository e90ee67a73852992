"""Copies of requests for shadow models, whose answers are compared with the callers' own, and dropped."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from serve_app.gateway.exchange.plan import Plan
from serve_app.gateway.http.body import Body
from serve_app.gateway.routing.metrics import Comparison, RoutingMetrics, ShadowStatus
from serve_app.gateway.shadowing.comparison import KeptAnswer, compare
from serve_app.gateway.shadowing.shadow_copy import ShadowCopy
from serve_app.gateway.upstream.attempt import Upstream
from serve_app.gateway.upstream.credentials import Credentials
from serve_app.gateway.upstream.model_request import ModelRequest
from serve_app.settings.gateway import GatewayConfig

logger = logging.getLogger(__name__)

_ID_SUFFIX = b"-shadow"
_QUICKLY_COMPARED = 32 * 1024
"""Bytes; longer answers are compared in a thread, so that requests do not wait for it."""


class Shadow:
    """The caller's own answer, which the copies of its request wait for."""

    __slots__ = ("answer", "asking", "ended")

    def __init__(self) -> None:
        self.answer = KeptAnswer()
        self.ended = asyncio.Event()
        self.asking: set[asyncio.Task[None]] = set()
        """Copies that have no whole answer yet."""

    def feed(self, piece: bytes) -> None:
        """Takes a piece of the answer."""
        self.answer.feed(piece)

    def end(self, status: int, complete: bool) -> None:
        """Ends the answer; a second time does nothing.

        Without a whole one there is nothing to compare with, so copies that are still being answered are cancelled: for
        a caller who has left, a shadow works no longer than the model itself does.

        Args:
            status: What the caller was told; 0 for nothing.
            complete: Whether it got all of it.
        """
        if self.ended.is_set():
            return
        self.answer.status = status
        self.answer.complete = complete
        self.ended.set()
        if not complete:
            for copy in self.asking:
                copy.cancel()


class Shadows:
    """All copies in flight.

    They are made beside the requests and share nothing with them but the process: they take no turn in a model's queue,
    are tried once, and there is a bound on their number, beyond which they are left out, as they are where bodies have
    half of their memory. A copy counts as in flight until it was compared, so the bound is one on memory, too.
    """

    def __init__(
        self,
        upstream: Upstream,
        credentials: Credentials,
        config: Callable[[], GatewayConfig],
        metrics: RoutingMetrics,
    ) -> None:
        """Starts without any.

        Args:
            upstream: The connections.
            credentials: The keys of models that want one.
            config: Gets the configuration of the moment.
            metrics: Where copies are counted.
        """
        self._upstream = upstream
        self._credentials = credentials
        self._config = config
        self._metrics = metrics
        self._copies: set[asyncio.Task[None]] = set()

    def send(self, plan: Plan, request: ModelRequest, request_id: bytes) -> Shadow:
        """Sends a request's copies on their way.

        Args:
            plan: Names the shadows.
            request: The request.
            request_id: Its id.

        Returns:
            Where the caller's answer has to be told, and in any case that it ended.
        """
        shadow = Shadow()
        config = self._config()
        for target in plan.shadows:
            if len(self._copies) >= config.shadows.max_concurrent or request.body.memory_is_scarce:
                self._metrics.shadow_dropped.labels(target.route, target.model).inc()
                continue
            key = self._credentials.of(target.entry)
            shared = replace(request, body=request.body.share())
            copy = ShadowCopy(target, shared, request_id + _ID_SUFFIX, key, config.timeouts)
            task = asyncio.create_task(self._run(copy, shadow))
            shadow.asking.add(task)
            self._copies.add(task)
            task.add_done_callback(self._copies.discard)
            task.add_done_callback(partial(_release, shared.body))  # also of one that is cancelled before it begins
        return shadow

    async def close(self) -> None:
        """Cancels all copies."""
        for task in self._copies:
            task.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)

    async def _run(self, copy: ShadowCopy, shadow: Shadow) -> None:
        labels = copy.target.route, copy.target.model
        status = ShadowStatus.CANCELLED
        try:
            status = await copy.send(self._upstream, self._metrics)
        except Exception:
            logger.exception("copy %s to %s failed in the gateway", copy.request_id, copy.target.model)
            status = ShadowStatus.FAILED
        finally:
            if task := asyncio.current_task():
                shadow.asking.discard(task)
            self._metrics.shadow_requests.labels(*labels, status).inc()
            if status is ShadowStatus.CANCELLED and shadow.ended.is_set():
                self._metrics.shadow_comparisons.labels(*labels, Comparison.PRIMARY_FAILED).inc()
        await shadow.ended.wait()
        if copy.answer.size + shadow.answer.size <= _QUICKLY_COMPARED:
            result = compare(shadow.answer, copy.answer)
        else:
            result = await asyncio.to_thread(compare, shadow.answer, copy.answer)
        self._metrics.shadow_comparisons.labels(*labels, result).inc()


def _release(body: Body, _: asyncio.Task[None]) -> None:
    body.release()
