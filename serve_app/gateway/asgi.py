"""The gateway as an ASGI application: request id, authentication, then the hot path or FastAPI."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from serve_app.gateway.access.auth import Authenticator
from serve_app.gateway.api import table
from serve_app.gateway.api.errors import ApiError, Headers
from serve_app.gateway.api.paths import Place, place_of
from serve_app.gateway.documents.forward import Documents
from serve_app.gateway.exchange.outcome import Outcome
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.writer import ResponseWriter, StalledError
from serve_app.gateway.http.cors import cors_headers, is_preflight, preflight_headers
from serve_app.gateway.http.disconnect import DisconnectError
from serve_app.gateway.http.protocol import CONNECTION
from serve_app.gateway.http.request_id import request_id_of
from serve_app.gateway.metering.meter import Meter
from serve_app.gateway.metering.usage_log import UsageLog
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.observe.tracing import Tracing
from serve_app.gateway.proxy import Proxy
from serve_app.settings.gateway import GatewayConfig

logger = logging.getLogger(__name__)

OPEN_PATHS = frozenset(("/healthz", "/readyz", "/health", "/ping", "/version"))
"""Asked by the kubelet, load balancers and benchmarks every few seconds: no key, no log line."""


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
        config: Callable[[], GatewayConfig],
        tracing: Tracing | None,
        draining: Callable[[], bool],
        documents: Documents | None = None,
    ) -> None:
        """Joins the parts.

        Args:
            proxy: Answers the APIs of `api.table`.
            management: Answers everything else.
            authenticator: Finds the caller.
            metrics: Counts requests.
            meter: Counts tokens.
            usage_log: Gets a line for each request.
            config: Gets the configuration in force.
            tracing: Makes spans; None for none.
            draining: Whether the process is about to end.
            documents: Answers what the data component has; None for nothing.
        """
        self._documents = documents
        self._proxy = proxy
        self._management = management
        self._authenticator = authenticator
        self._metrics = metrics
        self._meter = meter
        self._usage_log = usage_log
        self._config = config
        self._tracing = tracing
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        place = place_of(scope["path"])
        headers = dict(scope["headers"])
        config = self._config()
        record = RequestRecord(
            request_id=request_id_of(headers.get(b"x-request-id")),
            method=scope["method"],
            path=place.path,
            shape=table.shape_of(place.path, headers),
            currency=config.metering.currency,
        )
        connection = scope["extensions"][CONNECTION]
        connection.write_seconds = config.limits.write_seconds
        response = ResponseWriter(
            send,
            record,
            connection,
            write_seconds=config.limits.write_seconds,
            headers=cors_headers(headers, config.cors),
            closing=self._draining(),
        )
        if place.path in OPEN_PATHS or is_preflight(record.method, headers, config.cors):
            await self._open(scope, headers, receive, record, response)
            return
        try:
            await self._answer(scope, place, headers, receive, record, response)
        except ApiError as error:
            await self._refuse(error, record, response)
        except DisconnectError:
            record.disconnected = True
        except StalledError:
            pass
        except Exception:
            logger.exception("request %s failed in the gateway", record.request_id.decode())
            if not response.started:
                failure = ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "The gateway failed.")
                await self._refuse(failure, record, response)
        finally:
            self._end(record)

    async def _open(
        self, scope: Scope, headers: Headers, receive: Receive, record: RequestRecord, response: ResponseWriter
    ) -> None:
        """Answers what needs no key."""
        if is_preflight(record.method, headers, self._config().cors):
            await response.start(HTTPStatus.NO_CONTENT, preflight_headers(headers, self._config().cors))
            await response.write(b"", more=False)
            return
        method = "GET" if record.method == "HEAD" else record.method  # the server leaves the body of a HEAD out
        await self._management({**scope, "path": record.path, "method": method}, receive, response.send)

    async def _answer(
        self,
        scope: Scope,
        place: Place,
        headers: Headers,
        receive: Receive,
        record: RequestRecord,
        response: ResponseWriter,
    ) -> None:
        record.caller = await self._authenticator.check(headers)
        record.api = table.find(record.method, record.path)
        if self._tracing is not None:
            record.span = self._tracing.start(record.method, table.template_of(record.path), headers)
        documents = self._documents
        if documents is not None and (api := documents.find(record.path)):
            record.api = api
            await documents(scope, headers, receive, record, response)
        elif record.api is not None:
            await self._proxy(scope, place, headers, receive, record.api, record, response)
        else:
            scope.setdefault("state", {})["caller"] = record.caller
            path = {"path": record.path, "raw_path": record.path.encode()}
            await self._management({**scope, **path}, receive, response.send)

    @staticmethod
    async def _refuse(error: ApiError, record: RequestRecord, response: ResponseWriter) -> None:
        try:
            await response.refuse(error)
        except StalledError:
            logger.debug("request %s: the client does not read", record.request_id.decode())

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
