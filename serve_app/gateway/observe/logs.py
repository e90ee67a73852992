"""The process's own log: one JSON line for each message, beside the access log's lines."""

import datetime
import logging
import logging.config

import orjson

LEVELS = ("debug", "info", "warning", "error")

_UNFINISHED = "ASGI callable returned without completing response."


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "ts": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds"),
            "log": record.name,
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def drop_unfinished(record: logging.LogRecord) -> bool:
    """Leaves out uvicorn's complaint about an answer without its end, which is how a broken stream is passed on."""
    return record.getMessage() != _UNFINISHED


def configure(level: str) -> None:
    """Sends all loggers' messages to standard error.

    Args:
        level: One of `LEVELS`.
    """
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"unfinished": {"()": lambda: drop_unfinished}},
            "formatters": {"json": {"()": JsonFormatter}},
            "handlers": {
                "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["unfinished"]},
            },
            "root": {"level": level.upper(), "handlers": ["stderr"]},
        }
    )
