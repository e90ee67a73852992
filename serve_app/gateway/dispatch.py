"""From a plan to the first byte of an answer: the model's turn, attempts at it, fallbacks."""

import logging
from functools import partial
from http import HTTPStatus

from serve_app.gateway.admission.queue import Admission
from serve_app.gateway.apis.errors import ApiError, Header
from serve_app.gateway.ask import Ask
from serve_app.gateway.deadline import deadline
from serve_app.gateway.exchange import Exchange
from serve_app.gateway.observe.metrics import Metrics, Reason
from serve_app.gateway.routing.metrics import FALLBACK_REASONS, RATE_LIMITED, RoutingMetrics
from serve_app.gateway.routing.plan import Plan, Target
from serve_app.gateway.upstream.attempt import Answer, AttemptError, Upstream
from serve_app.gateway.upstream.credentials import Credentials
from serve_app.gateway.upstream.retry import DEFAULT_BACKOFF, Backoff, first_answer
from serve_app.settings.gateway import GatewayConfig

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5


class Dispatcher:
    """Asks the models of a plan, one after the other, until one answers."""

    def __init__(
        self,
        upstream: Upstream,
        admission: Admission,
        credentials: Credentials,
        metrics: Metrics,
        routing_metrics: RoutingMetrics,
        backoff: Backoff = DEFAULT_BACKOFF,
    ) -> None:
        """Joins the parts.

        Args:
            upstream: The connections.
            admission: The queues in front of the models.
            credentials: The keys of models that want one.
            metrics: Where retries and failures are counted.
            routing_metrics: Where fallbacks are counted.
            backoff: The pauses between attempts.
        """
        self._upstream = upstream
        self._admission = admission
        self._credentials = credentials
        self._metrics = metrics
        self._routing_metrics = routing_metrics
        self._backoff = backoff

    async def answer(self, ask: Ask, plan: Plan, config: GatewayConfig, exchange: Exchange) -> Answer:
        """Gets an answer's first byte; `exchange.turn` is held until its end.

        A fallback is asked where the model before it has no place, refuses for load (429, 503), cannot be reached, or
        is silent for too long; not where a request was lost with its model again and again, since that may be the
        request's doing.

        Raises:
            ApiError: No model answered: what the last one failed with.
        """
        for target, following in zip(plan.targets, plan.targets[1:], strict=False):
            window = min(config.retry.before_fallback_seconds, config.retry.window_seconds)
            try:
                answer = await self._ask(target, ask, config, exchange, window)
            except ApiError as failure:
                if failure.code not in FALLBACK_REASONS:
                    raise
                reason = failure.code
            else:
                if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                    return answer
                answer.close()
                exchange.leave()
                reason = RATE_LIMITED
            self._routing_metrics.fallbacks.labels(plan.route, target.model, following.model, reason).inc()
        last = plan.targets[-1]
        # A model that sleeps may take as long to wake as its first byte may take in all.
        seconds = config.timeouts.first_byte_seconds if last.entry.scales_to_zero else config.retry.window_seconds
        return await self._ask(last, ask, config, exchange, seconds)

    async def _ask(self, target: Target, ask: Ask, config: GatewayConfig, exchange: Exchange, window: float) -> Answer:
        exchange.target = target
        exchange.turn = await self._admission.turn(target, exchange.caller, config.queue)
        exchange.queued_seconds += exchange.turn.waited_seconds
        exchange.asked = True
        trace = exchange.trace.attempt(target.model) if exchange.trace is not None else None
        failed = "cancelled"
        try:
            answer = await self._attempts(target, ask, config, exchange, window, trace.headers if trace else [])
            failed = ""
        except AttemptError as failure:
            failed = failure.reason
            request_id = exchange.request_id.decode()
            logger.warning("request %s to %s failed: %s: %s", request_id, target.model, failure.reason, failure)
            raise self._told(target, failure.reason, config) from failure
        finally:
            if trace is not None:
                trace.end(failed)
            if failed:
                exchange.leave()
        return answer

    async def _attempts(
        self,
        target: Target,
        ask: Ask,
        config: GatewayConfig,
        exchange: Exchange,
        window: float,
        context: list[Header],
    ) -> Answer:
        def retried(reason: Reason) -> None:
            exchange.retries += 1
            self._metrics.retries.labels(target.model, reason).inc()

        key = self._credentials.of(target.entry)
        request = ask.to(target, exchange.request_id, key, config.timeouts.connect_seconds, context)
        try:
            with deadline(config.timeouts.first_byte_seconds):
                return await first_answer(
                    partial(self._upstream.attempt, request),
                    window=window,
                    max_lost=config.retry.max_lost,
                    retried=retried,
                    backoff=self._backoff,
                )
        except TimeoutError as error:
            raise AttemptError(Reason.FIRST_BYTE_TIMEOUT, "no first byte in time") from error

    def _told(self, target: Target, reason: Reason, config: GatewayConfig) -> ApiError:
        """A failure as the client is told it, without what is behind the gateway."""
        self._metrics.upstream_errors.labels(target.model, reason).inc()
        name = target.route or target.model
        if reason is Reason.INVALID:
            message = f"The model {name!r} gave an answer that is not valid HTTP for an API."
            return ApiError(HTTPStatus.BAD_GATEWAY, message, code="bad_gateway")
        if reason is Reason.LOST:
            message = f"The model {name!r} was lost each time it worked on this request: change it before a new try."
            return ApiError(HTTPStatus.BAD_GATEWAY, message, code="request_lost")
        if reason is Reason.FIRST_BYTE_TIMEOUT:
            message = f"The model {name!r} did not begin to answer in {config.timeouts.first_byte_seconds:g} s."
            return ApiError(HTTPStatus.GATEWAY_TIMEOUT, message, code="timeout")
        message = f"The model {name!r} cannot be reached at the moment; it may be starting or restarting."
        if reason is Reason.CONNECT_TIMEOUT:
            return ApiError(HTTPStatus.GATEWAY_TIMEOUT, message, code="timeout")
        retry_after = [(b"retry-after", str(RETRY_AFTER_SECONDS).encode())]
        return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, code="model_unavailable", headers=retry_after)
