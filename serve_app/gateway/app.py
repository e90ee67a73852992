"""Puts the gateway together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp

from serve_app.gateway.access import store
from serve_app.gateway.access.auth import Authenticator
from serve_app.gateway.access.keys import KeyRing, watched_keys
from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.limits import Limiter
from serve_app.gateway.access.metrics import AccessMetrics
from serve_app.gateway.access.on_behalf import Components, OnBehalf
from serve_app.gateway.access.tokens import Tokens
from serve_app.gateway.admission.metrics import QueueMetrics
from serve_app.gateway.admission.queue import Admission
from serve_app.gateway.asgi import GatewayApp
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.gateway.background.watched import Watched, poll_forever
from serve_app.gateway.config import watched_catalog
from serve_app.gateway.dispatch import Dispatcher
from serve_app.gateway.documents.forward import DataTokens, Documents, read_tokens
from serve_app.gateway.http.body_memory import BodyMemory
from serve_app.gateway.http.lifecycle import Drain
from serve_app.gateway.management.app import management_app
from serve_app.gateway.metering.meter import Meter
from serve_app.gateway.metering.metrics import MeteringMetrics
from serve_app.gateway.metering.usage_log import ByteStream, UsageLog
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.observe.tracing import Tracing
from serve_app.gateway.proxy import Proxy
from serve_app.gateway.relay import Relay
from serve_app.gateway.routing.catalog import Catalog
from serve_app.gateway.routing.metrics import RoutingMetrics
from serve_app.gateway.shadowing.shadows import Shadows
from serve_app.gateway.stored_responses.responses import Responses
from serve_app.gateway.stored_responses.routing import StoredResponses
from serve_app.gateway.stored_responses.store import ResponseStore
from serve_app.gateway.upstream.attempt import Upstream
from serve_app.gateway.upstream.breaker import Breakers
from serve_app.gateway.upstream.credentials import Credentials
from serve_app.gateway.upstream.retry import DEFAULT_BACKOFF, Backoff
from serve_app.settings.gateway import GatewayConfig


@asynccontextmanager
async def gateway(
    *,
    config: Path,
    api_keys: Path | None,
    redis_password: str | None = None,
    data_tokens: Path | None = None,
    metrics: Metrics,
    drain: Drain,
    usage_log: ByteStream,
    tracing: Tracing | None = None,
    poll_seconds: float = 1.0,
    backoff: Backoff = DEFAULT_BACKOFF,
    connected: Callable[[], AbstractAsyncContextManager[Upstream]] = Upstream.connected,
) -> AsyncIterator[ASGIApp]:
    """A running gateway, its connections and its watch over mounted files included.

    Args:
        config: The configuration file.
        api_keys: The directory of API keys' entries; None for no keys.
        redis_password: For the Redis of the configuration, if it wants one.
        data_tokens: The directory of the tokens between the gateway and the data component; None for none.
        metrics: Where things are counted.
        drain: Tells whether the process is about to end.
        usage_log: Where the lines for requests go.
        tracing: Where spans go; None for nowhere.
        poll_seconds: How often the files are looked at.
        backoff: The pauses between attempts at a model.
        connected: Opens the connections to models.

    Raises:
        ConfigError: The configuration cannot be used.
        OSError: A file cannot be read.
    """
    access_metrics = AccessMetrics(metrics.registry)
    limit_metrics = LimitMetrics(metrics.registry)
    queue_metrics = QueueMetrics(metrics.registry)
    routing_metrics = RoutingMetrics(metrics.registry)
    metering_metrics = MeteringMetrics(metrics.registry)

    def declare(catalog: Catalog) -> None:
        metrics.declare(catalog.targets())
        queue_metrics.declare(catalog.config.models)
        routing_metrics.declare(catalog.plans())
        breakers.declare(list(catalog.config.models))
        entries = keys.current.keys.items() if keys else ()
        callers = [(key.team if key.team in catalog.config.teams else "", name) for name, key in entries]
        metering_metrics.declare(catalog.targets(), callers or [("", "")])

    breakers = Breakers(lambda: settings().breaker, metrics.registry)
    keys = watched_keys(api_keys, metrics, access_metrics) if api_keys else None
    catalog = watched_catalog(config, metrics, declare)

    def settings() -> GatewayConfig:
        return catalog.current.config

    tokens_of_data = read_tokens(data_tokens) if data_tokens else None
    log = UsageLog(usage_log)
    try:
        async with (
            Supervisor.running(metrics.registry) as supervisor,
            connected() as upstream,
            Tokens.connected(lambda: settings().oidc, lambda: settings().teams, access_metrics, supervisor) as tokens,
            store.opened(settings().redis, redis_password, limit_metrics, supervisor) as limits,
            ResponseStore.opened(settings().redis, redis_password) as response_store,
            Documents.connected(settings, tokens_of_data, Limiter(limits, limit_metrics)) as documents,
        ):
            for watched in (catalog, keys):
                if watched is not None:
                    supervisor.run_forever("reload", partial(poll_forever, [watched], poll_seconds))
            credentials = Credentials()
            dispatcher = Dispatcher(
                upstream,
                Admission(queue_metrics, metrics.in_flight_gauge),
                credentials,
                breakers,
                metrics,
                routing_metrics,
                lambda target: catalog.current.latest(target),
                backoff,
            )
            limiter = Limiter(limits, limit_metrics)
            shadows = Shadows(upstream, credentials, settings, routing_metrics)
            yield GatewayApp(
                proxy=Proxy(
                    catalog=lambda: catalog.current,
                    limiter=limiter,
                    memory=BodyMemory(lambda: settings().limits.max_buffered_bytes, metrics.registry),
                    dispatcher=dispatcher,
                    relay=Relay(metrics),
                    shadows=shadows,
                    stored=StoredResponses(Responses(response_store, supervisor)),
                    routing_metrics=routing_metrics,
                ),
                management=management_app(lambda: catalog.current, limiter, drain),
                authenticator=Authenticator(
                    keys,
                    tokens,
                    lambda: settings().teams,
                    access_metrics,
                    _on_behalf(tokens_of_data, keys, settings) if tokens_of_data else None,
                ),
                metrics=metrics,
                meter=Meter(metering_metrics),
                usage_log=log,
                config=settings,
                tracing=tracing,
                draining=drain,
                documents=documents,
            )
            await shadows.close()
    finally:
        log.close()
        if tracing is not None:
            tracing.close()


def _on_behalf(
    tokens: DataTokens, keys: Watched[dict[str, bytes], KeyRing] | None, settings: Callable[[], GatewayConfig]
) -> OnBehalf:
    def batch_price() -> float:
        data = settings().data
        return data.batch_price_factor if data else 1.0

    components = Components(tokens.component.encode(), tokens.pipelines.encode())
    return OnBehalf(components, keys, lambda: settings().teams, lambda: settings().oidc is not None, batch_price)
