"""The hot path: a request's bytes to its model, the answer's bytes back as they arrive."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import Receive, Scope

from serve_app.gateway.access.charge import charge
from serve_app.gateway.access.estimate import NOTHING, estimate
from serve_app.gateway.access.limits import NO_GRANT, Limiter
from serve_app.gateway.admission.sse_heartbeat import Heartbeat
from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.api.paths import Place
from serve_app.gateway.api.table import APIS, RETRIEVE, Api, response_id
from serve_app.gateway.dispatch import Dispatched, Dispatcher
from serve_app.gateway.exchange.plan import Plan
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.writer import ResponseWriter
from serve_app.gateway.http import body as request_body
from serve_app.gateway.http.body import NO_BODY, Body
from serve_app.gateway.http.body_memory import BodyMemory
from serve_app.gateway.http.disconnect import cancelled_on_disconnect
from serve_app.gateway.http.protocol import CONNECTION
from serve_app.gateway.metering.event_errors import EventErrors
from serve_app.gateway.metering.renamed import Renamed, RenamedStream, in_error, in_object
from serve_app.gateway.metering.usage import Reader, reader, usage_request
from serve_app.gateway.metering.usage_log import LONGEST_PROMPT
from serve_app.gateway.relay import Relay, Watcher
from serve_app.gateway.routing.catalog import Catalog
from serve_app.gateway.routing.metrics import RoutingMetrics
from serve_app.gateway.shadowing.shadows import Shadow, Shadows
from serve_app.gateway.stored_responses.responses import hinted
from serve_app.gateway.stored_responses.routing import StoredResponses
from serve_app.gateway.upstream.attempt import Answer
from serve_app.gateway.upstream.model_request import ModelRequest
from serve_app.settings.gateway import GatewayConfig


@dataclass(slots=True)
class _Exchange:
    """A request that a model is found for, and its response."""

    request: ModelRequest
    plan: Plan
    api: Api
    config: GatewayConfig
    record: RequestRecord
    response: ResponseWriter


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
        memory: BodyMemory,
        dispatcher: Dispatcher,
        relay: Relay,
        shadows: Shadows,
        stored: StoredResponses,
        routing_metrics: RoutingMetrics,
    ) -> None:
        """Joins the parts.

        Args:
            catalog: Gets the catalog in force.
            limiter: Enforces callers' limits.
            memory: Bounds the bytes of bodies.
            dispatcher: Gets answers.
            relay: Passes them on.
            shadows: Sends copies.
            stored: Knows which model made a stored response.
            routing_metrics: Counts choices.
        """
        self._catalog = catalog
        self._limiter = limiter
        self._memory = memory
        self._dispatcher = dispatcher
        self._relay = relay
        self._shadows = shadows
        self._stored = stored
        self._routing_metrics = routing_metrics

    async def __call__(
        self,
        scope: Scope,
        place: Place,
        headers: Headers,
        receive: Receive,
        api: Api,
        record: RequestRecord,
        response: ResponseWriter,
    ) -> None:
        """Answers one request.

        Args:
            scope: ASGI's scope of the request.
            place: What its path means.
            headers: The request's headers.
            receive: ASGI's receive.
            api: The API that is asked.
            record: The request; its caller is known.
            response: Its response.

        Raises:
            ApiError: No answer from a model, for this reason.
            DisconnectError: The client left; the model's work was cancelled.
            StalledError: The client does not read.
        """
        catalog, caller = self._catalog(), record.caller
        connection = scope["extensions"][CONNECTION]
        arrived = connection.request_arrived
        # A body that is still to come may take long and much memory, so its caller's limits come first.
        grant = NO_GRANT if arrived else await self._limiter.enter(caller)
        estimated = NOTHING
        body = NO_BODY
        try:
            limits, named = catalog.config.limits, place.model
            body = await request_body.read(receive, headers, api, limits, self._memory, model=named, arrived=arrived)
            record.stream = body.stream
            if catalog.config.metering.log_prompts:
                record.prompt = body.raw[:LONGEST_PROMPT]
            plan, query = await self._plan(scope, body, api, headers, record, catalog)
            record.plan = plan
            self._routing_metrics.chose(plan)
            if caller.policies:
                tokens, factor = catalog.config.metering.default_output_tokens, caller.price_factor
                estimated = estimate(api, body, plan.targets, tokens, factor)
            if arrived:
                grant = await self._limiter.enter(caller, estimated.tokens, estimated.cost)
            else:
                await grant.reserve(estimated.tokens, estimated.cost)
            response.add_headers(grant.headers)
            usage = usage_request(api, body.envelope, stream=body.stream)
            request = ModelRequest(
                record.method, record.path, query, headers, body, record.shape, usage, background=bool(caller.work)
            )
            with cancelled_on_disconnect(connection):
                await self._answer(_Exchange(request, plan, api, catalog.config, record, response))
        finally:
            body.release()
            grant.settle(*charge(record, estimated))

    async def _plan(
        self, scope: Scope, body: Body, api: Api, headers: Headers, record: RequestRecord, catalog: Catalog
    ) -> tuple[Plan, str]:
        """Where the request goes, and the query that goes with it."""
        caller = record.caller
        if api.body == "none":
            hint, query = hinted(scope["query_string"])
            plan = await self._stored.plan(response_id(record.path), api, caller, hint, catalog)
            return plan, query.decode("latin-1")
        plan = catalog.resolve(body.model, api, caller, headers, body.user)
        if previous := body.envelope.value("previous_response_id"):
            plan = await self._stored.following(previous, plan, caller, catalog)
        return plan, ""

    async def _answer(self, exchange: _Exchange) -> None:
        if not exchange.plan.shadows:
            await self._pass(exchange, None)
            return
        record = exchange.record
        shadow = self._shadows.send(exchange.plan, exchange.request, record.request_id)
        try:
            await self._pass(exchange, shadow)
        except ApiError as error:
            shadow.end(error.status, complete=True)
            raise
        finally:
            shadow.end(record.status, record.complete)

    async def _pass(self, exchange: _Exchange, shadow: Shadow | None) -> None:
        request, record = exchange.request, exchange.record
        dispatched = await self._first_answer(exchange)
        answer = dispatched.answer
        try:
            usage = _usage(answer, exchange)
            watchers = self._watchers(answer, exchange, shadow)
            request.body.release()  # nobody sends it again
            idle_seconds = exchange.config.timeouts.idle_seconds
            await self._relay(answer, record, exchange.response, usage, watchers, idle_seconds)
            if exchange.api is RETRIEVE and record.usage is not None:
                counts = await self._stored.counts(response_id(request.path), record.caller)
                record.usage = record.usage if counts else None
        finally:
            dispatched.close()

    async def _first_answer(self, exchange: _Exchange) -> Dispatched:
        config, record = exchange.config, exchange.record
        heartbeat = Heartbeat(exchange.response, config.keep_alive) if record.stream else None
        try:
            return await self._dispatcher(exchange.request, exchange.plan, config, record)
        finally:
            if heartbeat is not None:
                heartbeat.stop()

    def _watchers(self, answer: Answer, exchange: _Exchange, shadow: Shadow | None) -> list[Watcher]:
        watchers: list[Watcher] = []
        if shadow is not None:
            watchers.append(shadow.feed)
        if exchange.api.name != "responses" or answer.status != HTTPStatus.OK:
            return watchers
        envelope, target = exchange.request.body.envelope, exchange.record.target
        if target is not None and envelope.value("store") is not False:
            background = envelope.value("background") is True
            watchers.append(self._stored.reader(target, exchange.record.caller, background=background).feed)
        return watchers


def _usage(answer: Answer, exchange: _Exchange) -> Reader:
    """What reads the tokens of an answer, and changes what the client is not to see."""
    record, api = exchange.record, exchange.api
    target, name = record.target, exchange.plan.answer_as
    assert target is not None  # noqa: S101  # it has answered
    external, model = target.entry.external, target.upstream_model
    if answer.status != HTTPStatus.OK:
        if name and answer.status >= HTTPStatus.BAD_REQUEST:
            answer.first = in_error(answer.first, model, name)
            answer.set_header(b"content-length", str(len(answer.first)).encode())
        return Reader()
    metadata = answer.header(b"metadata")
    asked = APIS["/v1/responses"] if api is RETRIEVE else api
    streamed = answer.is_event_stream
    reading = reader(
        asked,
        event_stream=streamed,
        request=exchange.request.usage,
        external=external,
        metadata=metadata,
        errors=EventErrors(asked.shape, record.request_id.decode(), external=external) if streamed else None,
    )
    if streamed:
        answer.set_header(b"content-length", None)  # it may change on the way
        return RenamedStream(reading, asked.shape, model, name) if name else reading
    if name and metadata:
        answer.set_header(b"metadata", in_object(metadata, name))
    elif name and (answer.header(b"content-type") or b"").startswith(b"application/json"):
        answer.set_header(b"content-length", None)
        return Renamed(reading, name)
    return reading
