"""The gateway as an ASGI application: request id, authentication, then the hot path or FastAPI."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from serve_app.gateway.access.auth import Authenticator
from serve_app.gateway.api import table
from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.exchange.outcome import Outcome
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.writer import ResponseWriter
from serve_app.gateway.http.disconnect import DisconnectError
from serve_app.gateway.http.intake import discard
from serve_app.gateway.http.request_id import request_id_of
from serve_app.gateway.metering.meter import Meter
from serve_app.gateway.metering.usage_log import UsageLog
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.observe.tracing import Tracing
from serve_app.gateway.proxy import Proxy

logger = logging.getLogger(__name__)

OPEN_PATHS = frozenset(("/healthz", "/readyz"))
"""Asked by the kubelet every few seconds: no key, no log line."""


class GatewayApp:
    """An ASGI application."""

    def __init__(
        self,
        *,
        proxy: Proxy,
        management: ASGIApp,
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
            proxy: Answers the APIs of `api.table`.
            management: Answers everything else.
            authenticator: Finds the caller.
            metrics: Counts requests.
            meter: Counts tokens.
            usage_log: Gets a line for each request.
            currency: Gets the currency of the prices in force.
            tracing: Makes spans; None for none.
            draining: Whether the process is about to end.
        """
        self._proxy = proxy
        self._management = management
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
            await self._management(scope, receive, send)
            return
        headers = dict(scope["headers"])
        record = RequestRecord(
            request_id=request_id_of(headers.get(b"x-request-id")),
            method=scope["method"],
            path=path,
            shape=table.shape_of(path, headers),
            currency=self._currency(),
        )
        response = ResponseWriter(send, record, closing=self._draining())
        if self._tracing is not None:
            record.span = self._tracing.start(scope["method"], path, headers)
        try:
            await self._answer(scope, headers, receive, record, response)
        except ApiError as error:
            await response.refuse(error)
        except DisconnectError:
            record.disconnected = True
        except Exception:
            logger.exception("request %s failed in the gateway", record.request_id.decode())
            if not response.started:
                await response.refuse(ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "The gateway failed."))
        finally:
            self._end(record)

    async def _answer(
        self, scope: Scope, headers: Headers, receive: Receive, record: RequestRecord, response: ResponseWriter
    ) -> None:
        try:
            record.caller = await self._authenticator.check(headers)
            record.api = table.find(scope["method"], scope["path"])
        except ApiError:
            await discard(receive, headers)
            raise
        if record.api is not None:
            await self._proxy(scope, headers, receive, record.api, record, response)
        else:
            scope.setdefault("state", {})["caller"] = record.caller
            await self._management(scope, receive, response.send)

    def _end(self, record: RequestRecord) -> None:
        record.end()
        self._count(record)
        if record.span is not None:
            record.span.end(record)
        self._meter.count(record)
        self._usage_log.write(record)

    def _count(self, record: RequestRecord) -> None:
        if record.api is None:
            return
        target, outcome = record.target, record.outcome
        model, route = (target.model, target.route) if target else ("", "")
        self._metrics.request_counter(model, route, record.api.name, outcome).inc()
        if target is None:
            return
        self._metrics.duration_histogram(model, route).observe(record.seconds)
        if outcome is Outcome.DISCONNECT:
            self._metrics.client_disconnects.labels(model).inc()
        if record.first_byte_at and record.status < HTTPStatus.BAD_REQUEST:
            self._metrics.first_byte_histogram(model, route).observe(record.seconds_to_first_byte)
