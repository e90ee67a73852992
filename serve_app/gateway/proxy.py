"""The hot path: a request's bytes to its model, the answer's bytes back as they arrive."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

import orjson
from starlette.types import Receive

from serve_app.gateway.access.auth import Headers
from serve_app.gateway.access.caller import ANYBODY
from serve_app.gateway.apis import body as request_body
from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.apis.table import APIS
from serve_app.gateway.disconnect import cancelled_on_disconnect
from serve_app.gateway.exchange import Exchange
from serve_app.gateway.observe.metrics import Metrics, Reason
from serve_app.gateway.routing.catalog import Catalog, Target
from serve_app.gateway.upstream.attempt import Answer, AttemptError, BrokenStreamError, Upstream, UpstreamRequest
from serve_app.gateway.upstream.headers import passed_on
from serve_app.gateway.upstream.retry import DEFAULT_BACKOFF, Backoff, first_answer

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5


class Proxy:
    """Passes requests to models.

    It is no framework's route but plain ASGI, and looks at nothing but the model's name: what a model offers, its
    clients get, and the gateway adds as little time as it can.
    """

    def __init__(
        self, upstream: Upstream, catalog: Callable[[], Catalog], metrics: Metrics, backoff: Backoff = DEFAULT_BACKOFF
    ) -> None:
        """Joins the parts.

        Args:
            upstream: The connections.
            catalog: Gets the catalog of the moment.
            metrics: Where retries and failures are counted.
            backoff: The pauses between attempts.
        """
        self._upstream = upstream
        self._catalog = catalog
        self._metrics = metrics
        self._backoff = backoff

    async def __call__(self, path: str, headers: Headers, receive: Receive, exchange: Exchange) -> None:
        """Answers one request.

        An answer that breaks after its first byte ends the client's connection without the end mark. Nothing may be
        tried again then, since another answer would not go on where this one stopped; and nothing may be added, since a
        made-up end (`[DONE]`, or a last chunk) would let half an answer pass for a whole one.

        Args:
            path: One of `catalog.APIS`.
            headers: The request's headers.
            receive: ASGI's receive.
            exchange: The request.

        Raises:
            ApiError: No answer from a model, for this reason.
            DisconnectError: The client left; the model's work was cancelled.
        """
        catalog = self._catalog()
        body = await request_body.read(receive, headers, catalog.config.limits.max_body_bytes)
        payload, name = request_body.parse(body)
        target = exchange.target = catalog.resolve(name, APIS[path], ANYBODY, headers, "").targets[0]
        if name != target.upstream_model:
            payload["model"] = target.upstream_model
            body = orjson.dumps(payload)
        del payload
        passed = passed_on(headers, exchange.request_id)
        request = UpstreamRequest(target.urls[path], passed, body, catalog.config.timeouts.connect_seconds)
        in_flight = self._metrics.in_flight_gauge(target.model)
        in_flight.inc()
        try:
            with cancelled_on_disconnect(receive):
                await self._answer(request, target, catalog, exchange)
        finally:
            in_flight.dec()

    async def _answer(self, request: UpstreamRequest, target: Target, catalog: Catalog, exchange: Exchange) -> None:
        def retried(reason: Reason) -> None:
            exchange.retries += 1
            self._metrics.retries.labels(target.model, reason).inc()

        answer = None
        try:
            async with asyncio.timeout(catalog.config.timeouts.first_byte_seconds) as limit:
                attempt = partial(self._upstream.attempt, request)
                window = catalog.config.retry.window_seconds
                answer = await first_answer(attempt, window=window, retried=retried, backoff=self._backoff)
                await self._relay(answer, catalog.config.timeouts.idle_seconds, limit, exchange)
        except AttemptError as failure:
            request_id = exchange.request_id.decode()
            logger.warning("request %s to %s failed: %s: %s", request_id, target.model, failure.reason, failure)
            raise self._told(target, failure.reason, catalog) from failure
        except TimeoutError as error:
            if answer is None:
                raise self._told(target, Reason.FIRST_BYTE_TIMEOUT, catalog) from error
            self._broken(target, Reason.IDLE_TIMEOUT, exchange)
        except BrokenStreamError:
            self._broken(target, Reason.BROKEN_STREAM, exchange)
        finally:
            if answer is not None:
                answer.close()

    async def _relay(self, answer: Answer, idle_seconds: float, limit: asyncio.Timeout, exchange: Exchange) -> None:
        loop = asyncio.get_running_loop()
        limit.reschedule(None)  # the client may be as slow as it likes
        await exchange.start(answer.status, answer.headers)
        more = answer.more
        await exchange.write(answer.first, more=more)
        while more:
            limit.reschedule(loop.time() + idle_seconds)
            piece = await answer.read()
            more = answer.more
            limit.reschedule(None)
            await exchange.write(piece, more=more)

    def _broken(self, target: Target, reason: Reason, exchange: Exchange) -> None:
        logger.warning("answer %s of %s broke: %s", exchange.request_id.decode(), target.model, reason)
        self._metrics.upstream_errors.labels(target.model, reason).inc()

    def _told(self, target: Target, reason: Reason, catalog: Catalog) -> ApiError:
        """A failure as the client is told it, without what is behind the gateway."""
        self._metrics.upstream_errors.labels(target.model, reason).inc()
        name = target.route or target.model
        if reason is Reason.INVALID:
            message = f"The model {name!r} gave an answer that is not valid HTTP for an API."
            return ApiError(HTTPStatus.BAD_GATEWAY, message, code="bad_gateway")
        if reason is Reason.FIRST_BYTE_TIMEOUT:
            message = f"The model {name!r} did not begin to answer in {catalog.config.timeouts.first_byte_seconds:g} s."
            return ApiError(HTTPStatus.GATEWAY_TIMEOUT, message, code="timeout")
        message = f"The model {name!r} cannot be reached at the moment; it may be starting or restarting."
        if reason is Reason.CONNECT_TIMEOUT:
            return ApiError(HTTPStatus.GATEWAY_TIMEOUT, message, code="timeout")
        retry_after = [(b"retry-after", str(RETRY_AFTER_SECONDS).encode())]
        return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, message, code="model_unavailable", headers=retry_after)
