"""The hot path: a request's bytes to its model, the answer's bytes back as they arrive."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.types import Receive, Scope

from serve_app.gateway.access.auth import Headers
from serve_app.gateway.access.limits import Limiter
from serve_app.gateway.admission.keep_alive import KeptAlive
from serve_app.gateway.apis import body as request_body
from serve_app.gateway.apis.body import Body
from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.apis.protocol import CONNECTION
from serve_app.gateway.apis.responses import hinted
from serve_app.gateway.apis.table import APIS, RETRIEVE, response_id
from serve_app.gateway.ask import Ask
from serve_app.gateway.disconnect import cancelled_on_disconnect
from serve_app.gateway.dispatch import Dispatcher
from serve_app.gateway.exchange import Exchange
from serve_app.gateway.metering.usage import Reader, ask_for_usage, reader
from serve_app.gateway.relay import Relay, Watcher
from serve_app.gateway.routing.catalog import Catalog
from serve_app.gateway.routing.metrics import RoutingMetrics
from serve_app.gateway.routing.plan import Plan
from serve_app.gateway.routing.shadow import Shadow, Shadows
from serve_app.gateway.routing.stored import StoredResponses
from serve_app.gateway.upstream.attempt import Answer


class Proxy:
    """Passes requests to models.

    It is no framework's route but plain ASGI, and looks at as little as it can: the model's name in the request, the
    tokens at the end of the answer. What a model offers, its clients get.
    """

    def __init__(
        self,
        *,
        catalog: Callable[[], Catalog],
        limiter: Limiter,
        dispatcher: Dispatcher,
        relay: Relay,
        shadows: Shadows,
        stored: StoredResponses,
        routing_metrics: RoutingMetrics,
    ) -> None:
        """Joins the parts.

        Args:
            catalog: Gets the catalog of the moment.
            limiter: What callers may do.
            dispatcher: Gets answers.
            relay: Passes them on.
            shadows: Sends copies.
            stored: Knows which model made a stored response.
            routing_metrics: Where choices are counted.
        """
        self._catalog = catalog
        self._limiter = limiter
        self._dispatcher = dispatcher
        self._relay = relay
        self._shadows = shadows
        self._stored = stored
        self._routing_metrics = routing_metrics

    async def __call__(self, scope: Scope, headers: Headers, receive: Receive, exchange: Exchange) -> None:
        """Answers one request.

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
        connection = scope["extensions"][CONNECTION]
        arrived = connection.request_arrived
        body = await request_body.read(receive, headers, api, catalog.config.limits, arrived=arrived)
        exchange.stream = body.stream
        if catalog.config.metering.log_prompts:
            exchange.prompt = body.raw
        if api.body == "none":
            hint, query = hinted(scope["query_string"])
            plan = await self._stored.plan(response_id(scope["path"]), api, exchange.caller, hint, catalog)
        else:
            query = b""
            plan = catalog.resolve(body.model, api, exchange.caller, headers, body.user)
            if previous := body.payload.get("previous_response_id"):
                plan = await self._stored.following(previous, plan, exchange.caller, catalog)
        exchange.plan = plan
        self._routing_metrics.chose(plan)
        grant = await self._limiter.enter(exchange.caller)
        exchange.add_headers(grant.headers)
        try:
            strip = ask_for_usage(api, body.payload)
            query_text = query.decode("latin-1")
            ask = Ask(scope["method"], scope["path"], query_text, headers, body, strip, exchange.shape)
            with cancelled_on_disconnect(connection):
                await self._answer(ask, plan, catalog, exchange)
        finally:
            grant.leave(_charged(exchange))

    async def _answer(self, ask: Ask, plan: Plan, catalog: Catalog, exchange: Exchange) -> None:
        if plan.shadows:
            shadow = self._shadows.send(plan, ask, exchange)
            try:
                await self._pass(ask, plan, catalog, exchange, shadow)
            except ApiError as error:
                shadow.end(error.status, complete=True)
                raise
            finally:
                shadow.end(exchange.status, exchange.complete)
        else:
            await self._pass(ask, plan, catalog, exchange, None)

    async def _pass(self, ask: Ask, plan: Plan, catalog: Catalog, exchange: Exchange, shadow: Shadow | None) -> None:
        answer = await self._first_answer(ask, plan, catalog, exchange)
        try:
            usage = self._usage(answer, ask, exchange)
            watchers = self._watchers(answer, ask.body, shadow, exchange)
            await self._relay(answer, exchange, usage, watchers, catalog.config.timeouts.idle_seconds)
            if exchange.api is RETRIEVE and exchange.usage is not None:
                counts = await self._stored.counts(response_id(ask.path), exchange.caller)
                exchange.usage = exchange.usage if counts else None
        finally:
            answer.close()
            exchange.leave()

    async def _first_answer(self, ask: Ask, plan: Plan, catalog: Catalog, exchange: Exchange) -> Answer:
        kept_alive = KeptAlive(exchange, catalog.config.keep_alive) if exchange.stream else None
        try:
            return await self._dispatcher.answer(ask, plan, catalog.config, exchange)
        finally:
            if kept_alive is not None:
                kept_alive.stop()

    def _usage(self, answer: Answer, ask: Ask, exchange: Exchange) -> Reader:
        if answer.status != HTTPStatus.OK or exchange.api is None:
            return Reader()
        if ask.changed and answer.is_event_stream:  # its length is another one without the usage
            answer.headers = [header for header in answer.headers if header[0] != b"content-length"]
        api = APIS["/v1/responses"] if exchange.api is RETRIEVE else exchange.api
        metadata = answer.header(b"metadata")
        return reader(api, event_stream=answer.is_event_stream, strip=ask.changed, metadata=metadata)

    def _watchers(self, answer: Answer, body: Body, shadow: Shadow | None, exchange: Exchange) -> list[Watcher]:
        watchers: list[Watcher] = []
        if shadow is not None:
            watchers.append(shadow.feed)
        makes_response = exchange.api is not None and exchange.api.name == "responses"
        stored = makes_response and answer.status == HTTPStatus.OK and body.payload.get("store") is not False
        if stored and exchange.target is not None:
            background = body.payload.get("background") is True
            watchers.append(self._stored.learner(exchange.target, exchange.caller, background=background).feed)
        return watchers


def _charged(exchange: Exchange) -> int:
    """Tokens that count against the caller's limits: what the model reported.

    A stream that its client left, or that broke, reports none. It counts with the pieces that were sent, a lower bound,
    so that hanging up before the end is no way around a limit.
    """
    reported = exchange.usage.total if exchange.usage else 0
    return reported if exchange.complete or not exchange.stream else max(reported, exchange.pieces_sent)
