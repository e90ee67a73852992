import json
import logging
import sys

from serve_app.gateway.observe.logs import JsonFormatter, drop_unfinished


def record(message: str, *arguments: object, fault: bool = False) -> logging.LogRecord:
    fault_info = None
    if fault:
        try:
            raise ValueError("why")
        except ValueError:
            fault_info = sys.exc_info()
    return logging.LogRecord("serve_app.x", logging.WARNING, "x.py", 1, message, arguments, fault_info)


def test_a_message_is_one_json_line() -> None:
    line = JsonFormatter().format(record("two\nlines of %s", "é", fault=True))
    assert "\n" not in line
    content = json.loads(line)
    assert (content["level"], content["log"], content["message"]) == ("warning", "serve_app.x", "two\nlines of é")
    assert "ValueError: why" in content["exception"]


def test_broken_streams_are_not_reported_as_faults() -> None:
    assert not drop_unfinished(record("ASGI callable returned without completing response."))
    assert drop_unfinished(record("ASGI callable returned without starting response."))
