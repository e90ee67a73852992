"""The first to see a request: gives it an id, asks for its key, and hands it to the hot path or to the rest."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from serve_app.gateway.access.auth import Authenticator, Headers
from serve_app.gateway.apis import table
from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.apis.intake import discard
from serve_app.gateway.disconnect import DisconnectError
from serve_app.gateway.exchange import Exchange
from serve_app.gateway.metering.meter import Meter
from serve_app.gateway.metering.record import Record
from serve_app.gateway.metering.usage_log import UsageLog
from serve_app.gateway.observe.metrics import Metrics, Outcome
from serve_app.gateway.observe.tracing import Tracing
from serve_app.gateway.proxy import Proxy

logger = logging.getLogger(__name__)

OPEN_PATHS = frozenset(("/healthz", "/readyz"))
"""Asked by the kubelet every few seconds: no key, no log line."""


class Front:
    """The gateway as an ASGI application."""

    def __init__(
        self,
        *,
        proxy: Proxy,
        others: ASGIApp,
        authenticator: Authenticator,
        metrics: Metrics,
        meter: Meter,
        usage_log: UsageLog,
        currency: Callable[[], str],
        tracing: Tracing | None,
        draining: Callable[[], bool],
    ) -> None:
        """Joins the parts.

        Args:
            proxy: Answers the APIs of `apis.table`.
            others: Answers everything else.
            authenticator: Tells who asks.
            metrics: Where requests are counted.
            meter: Where tokens are counted.
            usage_log: Where requests are written down.
            currency: Of the prices of the moment.
            tracing: Where spans go; None for nowhere.
            draining: Whether the process is about to end.
        """
        self._proxy = proxy
        self._others = others
        self._authenticator = authenticator
        self._metrics = metrics
        self._meter = meter
        self._usage_log = usage_log
        self._currency = currency
        self._tracing = tracing
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        path: str = scope["path"]
        if path in OPEN_PATHS:
            await self._others(scope, receive, send)
            return
        headers = dict(scope["headers"])
        exchange = Exchange(
            send,
            request_id=headers.get(b"x-request-id"),
            shape=table.shape_of(path, headers),
            closing=self._draining(),
        )
        if self._tracing is not None:
            exchange.trace = self._tracing.begin(scope["method"], path, headers)
        try:
            await self._answer(scope, headers, receive, exchange)
        except ApiError as error:
            await exchange.refuse(error)
        except DisconnectError:
            exchange.disconnected = True
        except Exception:
            logger.exception("request %s failed in the gateway", exchange.request_id.decode())
            if not exchange.status:
                await exchange.refuse(ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "The gateway failed."))
        finally:
            self._end(scope, exchange)

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive, exchange: Exchange) -> None:
        try:
            exchange.caller = await self._authenticator.check(headers)
            exchange.api = table.find(scope["method"], scope["path"])
        except ApiError:
            await discard(receive, headers)
            raise
        if exchange.api is not None:
            await self._proxy(scope, headers, receive, exchange)
        else:
            scope.setdefault("state", {})["caller"] = exchange.caller
            await self._others(scope, receive, exchange.send)

    def _end(self, scope: Scope, exchange: Exchange) -> None:
        outcome = exchange.outcome
        seconds = exchange.end()
        if exchange.api is not None:
            model = exchange.target.model if exchange.target else ""
            route = exchange.target.route if exchange.target else ""
            self._metrics.request_counter(model, route, exchange.api.name, outcome).inc()
            if exchange.target:
                self._metrics.duration_histogram(model, route).observe(seconds)
                if outcome is Outcome.DISCONNECT:
                    self._metrics.client_disconnects.labels(model).inc()
                if exchange.first_byte_at and exchange.status < HTTPStatus.BAD_REQUEST:
                    self._metrics.first_byte_histogram(model, route).observe(exchange.seconds_to_first_byte)
        if exchange.trace is not None:
            exchange.trace.end(exchange)
        record = self._record(scope, exchange, outcome)
        self._meter.record(record)
        self._usage_log.write(record)

    def _record(self, scope: Scope, exchange: Exchange, outcome: Outcome) -> Record:
        return Record(
            request_id=exchange.request_id.decode(),
            method=scope["method"],
            path=scope["path"],
            caller=exchange.caller,
            api=exchange.api,
            target=exchange.target,
            asked=exchange.asked,
            status=exchange.status,
            outcome=outcome,
            stream=exchange.stream,
            started_at=exchange.started_at,
            first_byte_at=exchange.first_byte_at,
            ended_at=exchange.ended_at,
            queued_seconds=exchange.queued_seconds or None,
            usage=exchange.usage,
            currency=self._currency(),
            bytes_sent=exchange.bytes_sent,
            retries=exchange.retries,
            prompt=exchange.prompt,
        )
