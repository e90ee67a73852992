"""The lines of a batch's input."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

MOST_LINES = 50_000
MOST_ERRORS = 100
ENDPOINTS = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses")


class Line(NamedTuple):
    """One request."""

    number: int
    """Its place in the file, from 1."""
    custom_id: str
    body: dict[str, Any]


class LineError(Exception):
    """A line that is no request of the batch."""

    def __init__(self, number: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.told = {"code": code, "line": number, "message": message, "param": param}


def parse(number: int, text: bytes, endpoint: str) -> Line:
    """Reads one line.

    Raises:
        LineError: It is no request to the batch's endpoint.
    """
    try:
        asked = json.loads(text)
    except ValueError:
        raise LineError(number, "invalid_json_line", "The line is no JSON object.") from None
    if not isinstance(asked, dict):
        raise LineError(number, "invalid_json_line", "The line is no JSON object.")
    custom_id, body = asked.get("custom_id"), asked.get("body")
    if not isinstance(custom_id, str) or not 0 < len(custom_id) <= 512:
        raise LineError(number, "missing_required_parameter", "custom_id is missing, or no short text.", "custom_id")
    if asked.get("method") != "POST":
        raise LineError(number, "invalid_method", "method is not POST.", "method")
    if asked.get("url") != endpoint:
        raise LineError(number, "invalid_url", f"url is not the batch's endpoint {endpoint}.", "url")
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise LineError(number, "invalid_request", "body is no object with a model.", "body")
    if body.get("stream"):
        raise LineError(number, "invalid_request", "body.stream is true, but a batch has no streams.", "body.stream")
    return Line(number, custom_id, body)


def numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their places."""
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def check(lines: Iterable[bytes], endpoint: str) -> tuple[int, list[dict[str, Any]]]:
    """Looks at a whole input: how many requests it has, and what is wrong with it."""
    seen: set[str] = set()
    errors: list[dict[str, Any]] = []
    total = 0
    for number, text in numbered(lines):
        total += 1
        if total > MOST_LINES:
            message = f"The file has more than {MOST_LINES} lines: make several batches."
            return total, [{"code": "too_many_lines", "line": number, "message": message, "param": None}]
        try:
            line = parse(number, text, endpoint)
            if line.custom_id in seen:
                message = f"custom_id {line.custom_id!r} is that of an earlier line."
                raise LineError(number, "duplicate_custom_id", message, "custom_id")
            seen.add(line.custom_id)
        except LineError as error:
            errors.append(error.told)
            if len(errors) == MOST_ERRORS:
                break
    if not total:
        errors.append({"code": "empty_file", "line": None, "message": "The file has no lines.", "param": None})
    return total, errors
