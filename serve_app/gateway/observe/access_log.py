"""One JSON line for each request. It never holds what was asked or answered, nor a key."""

import datetime
from typing import Protocol

import orjson
from starlette.types import Scope

from serve_app.gateway.exchange import Exchange
from serve_app.gateway.observe.metrics import Outcome


class ByteStream(Protocol):
    """What the lines are written to."""

    def write(self, data: bytes, /) -> object: ...  # noqa: D102
    def flush(self) -> object: ...  # noqa: D102


class AccessLog:
    """Writes to a stream, in a container its standard output."""

    def __init__(self, stream: ByteStream) -> None:
        """Takes the stream."""
        self._stream = stream

    def write(self, scope: Scope, exchange: Exchange, outcome: Outcome) -> None:
        """Writes a request's line, once it has ended.

        Args:
            scope: ASGI's scope of the request.
            exchange: The request; times are written in milliseconds.
            outcome: How it ended.
        """
        first_byte = round(exchange.seconds_to_first_byte * 1000, 2) if exchange.first_byte_at else None
        line = {
            "ts": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "log": "access",
            "request_id": exchange.request_id.decode(),
            "method": scope["method"],
            "path": scope["path"],
            "key": exchange.caller.key,
            "model": exchange.target.model if exchange.target else "",
            "route": exchange.target.route if exchange.target else "",
            "status": exchange.status,
            "outcome": outcome,
            "ttfb_ms": first_byte,
            "duration_ms": round(exchange.seconds * 1000, 2),
            "bytes": exchange.bytes_sent,
            "retries": exchange.retries,
        }
        self._stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._stream.flush()
