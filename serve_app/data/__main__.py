"""`python -m serve_app.data`: runs the component, or fills a store from a directory or a bucket."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

import uvicorn
from prometheus_client import CollectorRegistry, start_http_server

from serve_app import __version__
from serve_app.data import command
from serve_app.data.app import Secrets, opened
from serve_app.settings.data import DataConfig, DataConfigError, load

logger = logging.getLogger("serve_app.data")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serve_app.data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the component")
    serve.add_argument("--config", type=Path, required=True, metavar="FILE", help="configuration file")
    serve.add_argument("--tokens", type=Path, required=True, metavar="DIR", help="files component-token and token")
    serve.add_argument("--database-url-file", type=Path, metavar="FILE", help="URL of a Postgres; none: SQLite")
    serve.add_argument("--vectors-secret-file", type=Path, metavar="FILE", help="Milvus' token, or a Postgres' URL")
    serve.add_argument("--host", default="0.0.0.0", help="address to listen on (%(default)s)")  # noqa: S104  # in a pod
    serve.add_argument("--port", type=int, default=8080, help="port of the API (%(default)s)")
    serve.add_argument("--metrics-port", type=int, default=9090, help="port of /metrics (%(default)s)")
    command.add_arguments(commands.add_parser("ingest", help="fill a store from a directory or bucket"))
    return parser.parse_args(argv)


async def _serve(arguments: argparse.Namespace, config: DataConfig) -> None:
    def text(path: Path | None) -> str:
        return path.read_text().strip() if path else ""

    secrets = Secrets(
        text(arguments.tokens / "component-token"),
        text(arguments.tokens / "token"),
        text(arguments.database_url_file),
        text(arguments.vectors_secret_file),
    )
    if not secrets.component_token or not secrets.pipeline_token:
        raise DataConfigError(f"{arguments.tokens}: a token is empty, make the Secret with two long random texts")
    registry = CollectorRegistry()
    async with opened(config, secrets, registry) as app:
        start_http_server(arguments.metrics_port, arguments.host, registry)
        options = uvicorn.Config(
            app, host=arguments.host, port=arguments.port, access_log=False, log_config=None, server_header=False
        )
        logger.info("data %s on port %d", __version__, arguments.port)
        await uvicorn.Server(options).serve()


def main(argv: list[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        The exit status: 0, or 1 where it cannot be done.
    """
    arguments = _arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("faiss", "httpx", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)  # Milvus Lite lacks what its client asks first
    try:
        if arguments.command == "ingest":
            return command.run(arguments)
        asyncio.run(_serve(arguments, load(arguments.config)))
    except (DataConfigError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
