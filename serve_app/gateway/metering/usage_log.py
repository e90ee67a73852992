"""One JSON line for each request, with its tokens and their cost; what was asked only if that is switched on."""

import asyncio
import datetime
from typing import Any, Protocol

import orjson

from serve_app.gateway.exchange.record import RequestRecord

FLUSH_SECONDS = 0.1
FLUSH_BYTES = 32 * 1024
LONGEST_PROMPT = 32 * 1024
LONGEST_PATH = 256


class ByteStream(Protocol):
    """What the lines are written to."""

    def write(self, data: bytes, /) -> object: ...  # noqa: D102
    def flush(self) -> object: ...  # noqa: D102


class UsageLog:
    """Writes to a stream, in a container its standard output.

    Lines are gathered for a moment: a system call for each would cost more than the line. They keep their order, and
    `close` writes the last ones.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._lines: list[bytes] = []
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, record: RequestRecord) -> None:
        """Adds a request's line. Has to be called in the event loop."""
        line = orjson.dumps(_line(record), option=orjson.OPT_APPEND_NEWLINE)
        self._lines.append(line)
        self._bytes += len(line)
        if self._bytes >= FLUSH_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Writes what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines:
            lines = b"".join(self._lines)
            self._lines.clear()
            self._bytes = 0
            self._stream.write(lines)
            self._stream.flush()

    close = flush
    """To be called at the end, when no requests are left."""


def _line(record: RequestRecord) -> dict[str, Any]:
    target, usage, caller = record.target, record.usage, record.caller
    started = record.started_at
    line = {
        "ts": datetime.datetime.now(datetime.UTC),
        "log": "usage",
        "request_id": record.request_id.decode(),
        "method": record.method,
        "path": record.path[:LONGEST_PATH],
        "api": record.api.name if record.api else "",
        "team": caller.team,
        "key": caller.key,
        "subject": caller.subject,
        "work": caller.work,
        "model": target.model if target else "",
        "route": target.route if target else "",
        "status": record.status,
        "outcome": record.outcome,
        "stream": record.stream,
        "prompt_tokens": usage.prompt if usage else None,
        "cached_tokens": usage.cached if usage else None,
        "completion_tokens": usage.completion if usage else None,
        "partial": usage.partial if usage else None,
        "cost": record.cost,
        "currency": record.currency,
        "queue_ms": _ms(record.queued_seconds or None),
        "ttfb_ms": _ms(record.first_byte_at - started if record.first_byte_at else None),
        "duration_ms": _ms(record.ended_at - started),
        "bytes": record.bytes_sent,
        "retries": record.retries,
    }
    if record.prompt is not None:
        line["prompt"] = record.prompt[:LONGEST_PROMPT].decode("utf-8", "ignore")
    return line


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
