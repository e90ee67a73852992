"""`python -m serve_app.gateway`: runs the gateway, or checks its configuration file."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import uvloop
from prometheus_client import disable_created_metrics, start_http_server

from serve_app import __version__
from serve_app.gateway import config
from serve_app.gateway.app import gateway
from serve_app.gateway.background.watched import ConfigError
from serve_app.gateway.http import lifecycle, listening, open_files
from serve_app.gateway.observe import logs
from serve_app.gateway.observe.metrics import Metrics
from serve_app.gateway.observe.tracing import Tracing
from serve_app.gateway.upstream.attempt import Upstream

logger = logging.getLogger("serve_app.gateway")

Connected = Callable[[], AbstractAsyncContextManager[Upstream]]


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serve_app.gateway", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="configuration file, followed")
    parser.add_argument("--check", action="store_true", help="check the file, print OK or what is wrong, and end")
    parser.add_argument("--api-keys", type=Path, metavar="DIR", help="one entry per key, followed; none: no keys")
    parser.add_argument("--redis-password-file", type=Path, metavar="FILE", help="password of the configured Redis")
    tokens = "files component-token and gateway-token; none: no files"
    parser.add_argument("--data-tokens", type=Path, metavar="DIR", help=tokens)
    parser.add_argument("--host", default=listening.all_addresses(), help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port of the API (%(default)s)")
    parser.add_argument("--metrics-port", type=int, default=9090, help="port of /metrics (%(default)s)")
    parser.add_argument("--log-level", choices=logs.LEVELS, default="info", help="of the process's log (%(default)s)")
    parser.add_argument(
        "--drain-delay-seconds",
        type=float,
        default=5,
        metavar="S",
        help="how long requests are still taken after SIGTERM (%(default)s)",
    )
    parser.add_argument(
        "--drain-seconds",
        type=int,
        default=120,
        metavar="S",
        help="how long answers may take after that (%(default)s)",
    )
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace, redis_password: str | None, connected: Connected) -> None:
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter, which nothing reads
    metrics = Metrics()
    drain = lifecycle.Drain(begun=lambda: metrics.draining.set(1))
    async with gateway(
        config=arguments.config,
        api_keys=arguments.api_keys,
        redis_password=redis_password,
        data_tokens=arguments.data_tokens,
        metrics=metrics,
        drain=drain,
        usage_log=sys.stdout.buffer,
        tracing=Tracing.from_environment(),
        connected=connected,
    ) as app:
        start_http_server(arguments.metrics_port, arguments.host, metrics.registry)
        listener = listening.listener(arguments.host, arguments.port)
        lifecycle.settle()
        logger.info("gateway %s on %s, port %d", __version__, arguments.host, arguments.port)
        await lifecycle.server(
            app,
            host=arguments.host,
            port=arguments.port,
            drain=drain,
            delay_seconds=arguments.drain_delay_seconds,
            drain_seconds=arguments.drain_seconds,
        ).serve([listener])


def main(argv: list[str] | None = None, *, connected: Connected = Upstream.connected) -> int:
    """Runs the command line.

    Args:
        argv: The arguments; those of the process if None.
        connected: Opens the connections to models.

    Returns:
        The exit status: 0, or 1 where the configuration or the keys cannot be used.
    """
    arguments = _arguments(argv)
    logs.configure(arguments.log_level)
    open_files.raise_limit()
    try:
        if arguments.check:
            config.parse(arguments.config.read_bytes())
            sys.stdout.write("OK\n")
        else:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                password = arguments.redis_password_file
                runner.run(_serve(arguments, password.read_text().strip() if password else None, connected))
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"{arguments.config}: {error}\n" if isinstance(error, ConfigError) else f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
