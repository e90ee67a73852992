"""From a plan to the first byte of an answer: a slot of the model, attempts, fallbacks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import NamedTuple

from serve_app.gateway.admission.queue import Admission
from serve_app.gateway.admission.slot import Slot
from serve_app.gateway.api.errors import ApiError, Header
from serve_app.gateway.exchange.outcome import Reason
from serve_app.gateway.exchange.plan import Plan, Target
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.routing.metrics import (
    BREAKER_OPEN,
    FALLBACK_REASONS,
    RATE_LIMITED,
    SERVER_ERROR,
    RoutingMetrics,
)
from serve_app.gateway.upstream.attempt import Answer, AttemptError, Upstream, UpstreamRequest
from serve_app.gateway.upstream.breaker import Breakers
from serve_app.gateway.upstream.credentials import Credentials
from serve_app.gateway.upstream.model_request import ModelRequest
from serve_app.gateway.upstream.retry import DEFAULT_BACKOFF, Backoff, first_answer
from serve_app.settings.gateway import GatewayConfig

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
_SERVER_ERRORS = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY)


class Dispatched(NamedTuple):
    """An answer, and the slot of its model, held until the answer ends."""

    answer: Answer
    slot: Slot

    def close(self) -> None:
        """Closes the answer and gives the slot back."""
        self.answer.close()
        self.slot.release()


class Dispatcher:
    """Sends a request to the models of a plan, one after the other, until one answers."""

    def __init__(
        self,
        upstream: Upstream,
        admission: Admission,
        credentials: Credentials,
        breakers: Breakers,
        metrics: Metrics,
        routing_metrics: RoutingMetrics,
        latest: Callable[[Target], Target],
        backoff: Backoff = DEFAULT_BACKOFF,
    ) -> None:
        """`latest` tells where a target is by now: while a request is tried again its model may move."""
        self._upstream = upstream
        self._admission = admission
        self._credentials = credentials
        self._breakers = breakers
        self._metrics = metrics
        self._routing_metrics = routing_metrics
        self._latest = latest
        self._backoff = backoff

    async def __call__(
        self, request: ModelRequest, plan: Plan, config: GatewayConfig, record: RequestRecord
    ) -> Dispatched:
        """Gets an answer's first byte.

        The next model is asked where the one before it has no free slot, refuses for load (429, 503), cannot be
        reached, or is silent for too long; with `retry.fallbackOnServerErrors` also where it fails with 500 or 502. It
        is not asked where a request was lost with its replica again and again, since the request may be the cause. A
        model whose breaker is open is skipped, unless it is the last.

        Raises:
            ApiError: No model answered: how the last one failed.
        """
        for target, following in zip(plan.targets, plan.targets[1:], strict=False):
            dispatched, reason = await self._try(target, request, config, record)
            if dispatched is not None:
                return dispatched
            self._routing_metrics.fallbacks.labels(plan.route, target.model, following.model, reason).inc()
        last = plan.targets[-1]
        # A model that sleeps may take as long to wake as its first byte may take in all.
        seconds = config.timeouts.first_byte_seconds if last.entry.scales_to_zero else config.retry.window_seconds
        return await self._ask(last, request, config, record, seconds)

    async def _try(
        self, target: Target, request: ModelRequest, config: GatewayConfig, record: RequestRecord
    ) -> tuple[Dispatched | None, str]:
        """Asks a model that has others after it.

        Returns:
            Its answer, or None and why the next is to be asked.

        Raises:
            ApiError: It failed in a way that is due to the request.
        """
        model = target.model
        if not self._breakers.allows(model):
            return None, BREAKER_OPEN
        window = min(config.retry.before_fallback_seconds, config.retry.window_seconds)
        report = self._breakers.abandoned
        try:
            dispatched = await self._ask(target, request, config, record, window)
            status = dispatched.answer.status
            server_error = config.retry.fallback_on_server_errors and status in _SERVER_ERRORS
            report = self._breakers.failed if server_error else self._breakers.succeeded
            refused = status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
            if not refused and not server_error:
                return dispatched, ""
            dispatched.close()
            return None, SERVER_ERROR if server_error else RATE_LIMITED
        except ApiError as failure:
            if failure.code not in FALLBACK_REASONS:
                raise
            if failure.code != "model_overloaded":  # its queue here is full, which tells nothing of the model
                report = self._breakers.failed
            return None, failure.code
        finally:
            report(model)

    async def _ask(
        self, target: Target, request: ModelRequest, config: GatewayConfig, record: RequestRecord, window: float
    ) -> Dispatched:
        record.target = target
        slot = await self._admission.slot(target, record.caller, config.queue)
        record.queued_seconds += slot.waited_seconds
        record.asked = True
        span = record.span.attempt(target.model) if record.span is not None else None
        failed = "cancelled"
        try:
            answer = await self._attempts(target, request, config, record, window, span.headers if span else [])
            failed = ""
        except AttemptError as failure:
            failed = failure.reason
            request_id = record.request_id.decode()
            logger.warning("request %s to %s failed: %s: %s", request_id, target.model, failure.reason, failure)
            raise self._api_error(target, failure.reason, config) from failure
        finally:
            if span is not None:
                span.end(failed)
            if failed:
                slot.release()
        return Dispatched(answer, slot)

    async def _attempts(
        self,
        target: Target,
        request: ModelRequest,
        config: GatewayConfig,
        record: RequestRecord,
        window: float,
        context: list[Header],
    ) -> Answer:
        def retried(reason: Reason) -> None:
            record.retries += 1
            self._metrics.retries.labels(target.model, reason).inc()

        def sent_to(target: Target) -> UpstreamRequest:
            key = self._credentials.of(target.entry)
            return request.to(target, record.request_id, key, config.timeouts.connect_seconds, context)

        first = sent_to(target)

        def attempt(fresh: bool) -> Awaitable[Answer]:
            return self._upstream.attempt(sent_to(self._latest(target)) if fresh else first, fresh)

        try:
            async with asyncio.timeout(config.timeouts.first_byte_seconds):
                return await first_answer(
                    attempt,
                    window=window,
                    max_lost=config.retry.max_lost,
                    retried=retried,
                    backoff=self._backoff,
                )
        except TimeoutError as error:
            raise AttemptError(Reason.FIRST_BYTE_TIMEOUT, "no first byte in time") from error

    def _api_error(self, target: Target, reason: Reason, config: GatewayConfig) -> ApiError:
        """A failure as the client is told of it, without what lies behind the gateway."""
        self._metrics.upstream_errors.labels(target.model, reason).inc()
        name = target.route or target.model
        if reason is Reason.INVALID:
            message = f"The model {name!r} gave a response that is not valid."
            return ApiError(HTTPStatus.BAD_GATEWAY, message, code="bad_gateway")
        if reason is Reason.LOST:
            message = f"The model {name!r} was lost each time it worked on this request: change it before you retry."
            return ApiError(HTTPStatus.BAD_GATEWAY, message, code="request_lost")
        if reason is Reason.FIRST_BYTE_TIMEOUT:
            message = f"The model {name!r} did not start to answer within {config.timeouts.first_byte_seconds:g} s."
            return ApiError(HTTPStatus.GATEWAY_TIMEOUT, message, code="timeout")
        message = f"The model {name!r} cannot be reached at the moment: it may be starting or restarting."
        if reason is Reason.CONNECT_TIMEOUT:
            return ApiError(HTTPStatus.GATEWAY_TIMEOUT, message, code="timeout")
        retry_after = [(b"retry-after", str(RETRY_AFTER_SECONDS).encode())]
        return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, code="model_unavailable", headers=retry_after)
