"""The first to see a request: gives it an id, asks for its key, and hands it to the hot path or to the rest."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from serve_app.gateway.access.auth import Authenticator, Headers
from serve_app.gateway.apis import body as request_body
from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.disconnect import DisconnectError
from serve_app.gateway.exchange import Exchange
from serve_app.gateway.observe.access_log import AccessLog
from serve_app.gateway.observe.metrics import Metrics, Outcome
from serve_app.gateway.proxy import Proxy
from serve_app.gateway.routing.catalog import APIS

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
        access_log: AccessLog,
        draining: Callable[[], bool],
    ) -> None:
        """Joins the parts.

        Args:
            proxy: Answers `catalog.APIS`.
            others: Answers everything else.
            authenticator: Tells who asks.
            metrics: Where requests are counted.
            access_log: Where requests are written down.
            draining: Whether the process is about to end.
        """
        self._proxy = proxy
        self._others = others
        self._authenticator = authenticator
        self._metrics = metrics
        self._access_log = access_log
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
            api=APIS.get(path, ""),
            closing=self._draining(),
        )
        try:
            await self._answer(scope, path, headers, receive, exchange)
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

    async def _answer(self, scope: Scope, path: str, headers: Headers, receive: Receive, exchange: Exchange) -> None:
        try:
            exchange.key_name = (await self._authenticator.check(headers)).key
        except ApiError:
            await request_body.discard(receive, headers)
            raise
        if not exchange.api:
            await self._others(scope, receive, exchange.send)
        elif scope["method"] == "POST":
            await self._proxy(path, headers, receive, exchange)
        else:
            await request_body.discard(receive, headers)
            message = f"{path} takes POST only."
            raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, message, headers=[(b"allow", b"POST")])

    def _end(self, scope: Scope, exchange: Exchange) -> None:
        outcome = exchange.outcome
        seconds = exchange.end()
        if exchange.api:
            model = exchange.target.model if exchange.target else ""
            route = exchange.target.route if exchange.target else ""
            self._metrics.request_counter(model, route, exchange.api, outcome).inc()
            if exchange.target:
                self._metrics.duration_histogram(model, route).observe(seconds)
                if outcome is Outcome.DISCONNECT:
                    self._metrics.client_disconnects.labels(model).inc()
                if exchange.first_byte_at and exchange.status < HTTPStatus.BAD_REQUEST:
                    self._metrics.first_byte_histogram(model, route).observe(exchange.seconds_to_first_byte)
        self._access_log.write(scope, exchange, outcome)
