"""The hot path: a request's bytes to its model, the answer's bytes back as they arrive."""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import Receive, Scope

from serve_app.gateway.access.auth import Headers
from serve_app.gateway.access.limits import Limiter
from serve_app.gateway.admission.keep_alive import KeptAlive
from serve_app.gateway.apis import body as request_body
from serve_app.gateway.apis.errors import event
from serve_app.gateway.disconnect import cancelled_on_disconnect
from serve_app.gateway.dispatch import Ask, Dispatcher
from serve_app.gateway.exchange import Exchange
from serve_app.gateway.metering.usage import Reader, ask_for_usage, reader
from serve_app.gateway.observe.metrics import Metrics, Reason
from serve_app.gateway.routing.catalog import Catalog
from serve_app.gateway.routing.metrics import RoutingMetrics
from serve_app.gateway.routing.plan import Plan
from serve_app.gateway.upstream.attempt import Answer, BrokenStreamError

logger = logging.getLogger(__name__)


class Proxy:
    """Passes requests to models.

    It is no framework's route but plain ASGI, and looks at as little as it can: the model's name in the request, the
    tokens at the end of the answer. What a model offers, its clients get.
    """

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        limiter: Limiter,
        dispatcher: Dispatcher,
        routing_metrics: RoutingMetrics,
        metrics: Metrics,
    ) -> None:
        """Joins the parts.

        Args:
            catalog: Gets the catalog of the moment.
            limiter: What callers may do.
            dispatcher: Gets answers.
            routing_metrics: Where choices are counted.
            metrics: Where broken answers are counted.
        """
        self._catalog = catalog
        self._limiter = limiter
        self._dispatcher = dispatcher
        self._routing_metrics = routing_metrics
        self._metrics = metrics

    async def __call__(self, scope: Scope, headers: Headers, receive: Receive, exchange: Exchange) -> None:
        """Answers one request.

        An answer that breaks after its first byte ends the client's connection without the end mark. Nothing may be
        tried again then, since another answer would not go on where this one stopped; and nothing may be added, since a
        made-up end (`[DONE]`, or a last chunk) would let half an answer pass for a whole one.

        Args:
            scope: ASGI's scope of the request.
            headers: The request's headers.
            receive: ASGI's receive.
            exchange: The request; its caller and API are known.

        Raises:
            ApiError: No answer from a model, for this reason.
            DisconnectError: The client left; the model's work was cancelled.
        """
        catalog, api = self._catalog(), exchange.api
        assert api is not None  # noqa: S101  # asked for by nothing else
        body = await request_body.read(receive, headers, api, catalog.config.limits)
        plan = exchange.plan = catalog.resolve(body.model, api, exchange.caller, headers, body.user)
        exchange.stream = body.stream
        self._routing_metrics.chose(plan)
        grant = await self._limiter.enter(exchange.caller)
        exchange.add_headers(grant.headers)
        try:
            strip = ask_for_usage(api, body.payload)
            ask = Ask(scope["method"], scope["path"], _path_and_query(scope), headers, body, changed=strip)
            with cancelled_on_disconnect(receive):
                answer = await self._first_answer(ask, plan, catalog, exchange)
                try:
                    await self._relay(answer, strip, catalog, exchange)
                finally:
                    answer.close()
                    exchange.leave()
        finally:
            grant.leave(exchange.usage.total if exchange.usage else 0)

    async def _first_answer(self, ask: Ask, plan: Plan, catalog: Catalog, exchange: Exchange) -> Answer:
        kept_alive = KeptAlive(exchange, catalog.config.keep_alive) if exchange.stream else None
        try:
            return await self._dispatcher.answer(ask, plan, catalog.config, exchange)
        finally:
            if kept_alive is not None:
                kept_alive.stop()

    async def _relay(self, answer: Answer, strip: bool, catalog: Catalog, exchange: Exchange) -> None:
        if exchange.status and answer.status >= HTTPStatus.BAD_REQUEST:
            await exchange.write(event(answer.first, exchange.shape), more=False)
            exchange.status = answer.status
            return
        if not exchange.status:
            await exchange.start(answer.status, answer.headers)
        usage = None
        if answer.status == HTTPStatus.OK and exchange.api is not None:
            usage = reader(exchange.api, event_stream=answer.is_event_stream, strip=strip)
        try:
            async with asyncio.timeout(None) as limit:
                await self._pump(answer, usage, limit, catalog.config.timeouts.idle_seconds, exchange)
        except TimeoutError:
            self._broken(Reason.IDLE_TIMEOUT, exchange)
        except BrokenStreamError:
            self._broken(Reason.BROKEN_STREAM, exchange)
        finally:
            if usage is not None:
                if not exchange.complete:
                    usage.end()
                exchange.usage = usage.usage

    async def _pump(
        self,
        answer: Answer,
        usage: Reader | None,
        limit: asyncio.Timeout,
        idle_seconds: float,
        exchange: Exchange,
    ) -> None:
        loop = asyncio.get_running_loop()
        piece, more = answer.first, answer.more
        while True:
            if usage is not None:
                piece = usage.feed(piece)
                if not more:
                    piece += usage.end()
            if piece or not more:
                await exchange.write(piece, more=more)
            if not more:
                return
            limit.reschedule(loop.time() + idle_seconds)
            piece = await answer.read()
            more = answer.more
            limit.reschedule(None)  # the client may be as slow as it likes

    def _broken(self, reason: Reason, exchange: Exchange) -> None:
        assert exchange.target is not None  # noqa: S101  # it has begun to answer
        logger.warning("answer %s of %s broke: %s", exchange.request_id.decode(), exchange.target.model, reason)
        self._metrics.upstream_errors.labels(exchange.target.model, reason).inc()


def _path_and_query(scope: Scope) -> str:
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
