"""Asks the gateway for one line of a batch, as often as it takes."""

import asyncio
import json
from http import HTTPStatus
from typing import NamedTuple

import httpx

from serve_app.data.batches.lines import Line
from serve_app.data.batches.pace import Pace
from serve_app.data.caller import ENDED, Caller
from serve_app.data.database import new_id, now_ms

_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.UNAUTHORIZED)
_MOST_FAILURES = 3
"""Times that a line may end in a 5xx which is no 503, or in a connection that broke."""
_LONGEST_PAUSE = 60.0


class EndedError(Exception):
    """The caller may not ask any more, for this line or any other."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Answered(NamedTuple):
    """What came of a line."""

    result: str
    """The line of the output or error file."""
    succeeded: bool


class Asking:
    """The way to the gateway."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._token = token

    async def __call__(self, line: Line, endpoint: str, caller: Caller, pace: Pace, *, fresh_until_ms: int) -> Answered:
        """Asks until there is an answer that asking again would not change.

        Args:
            line: What is asked.
            endpoint: The API.
            caller: On whose behalf.
            pace: Says when.
            fresh_until_ms: Until when the caller's key may be so new that a pod of the gateway does not know it.

        Raises:
            EndedError: The caller's key is revoked, or has expired.
        """
        headers = {"authorization": f"Bearer {self._token}", "x-gateway-work": "batch", **caller.headers}
        failures = tries = 0
        while True:
            try:
                async with pace:
                    answer = await self._client.post(endpoint, json=line.body, headers=headers)
            except httpx.HTTPError as error:
                failures += not isinstance(error, httpx.ConnectError)
                if failures >= _MOST_FAILURES:
                    return failed(line, "connection_failed", f"The request broke ({type(error).__name__}).")
                pace.refused(min(_LONGEST_PAUSE, 2**tries))
                tries = min(tries + 1, 6)
                continue
            ended = _ended(answer)
            if ended and now_ms() >= fresh_until_ms:
                raise ended
            if ended or answer.status_code in _BUSY:
                pace.refused(_seconds(answer, tries))
                tries = min(tries + 1, 6)
                continue
            if answer.is_server_error and (failures := failures + 1) < _MOST_FAILURES:
                await asyncio.sleep(2**failures)
                continue
            pace.went_well()
            return _told(line, answer)


def failed(line: Line, code: str, message: str) -> Answered:
    """A line that has no answer."""
    error = {"code": code, "message": message}
    told = {"id": new_id("batch_req_"), "custom_id": line.custom_id, "response": None, "error": error}
    return Answered(json.dumps(told, ensure_ascii=False), succeeded=False)


def _told(line: Line, answer: httpx.Response) -> Answered:
    try:
        body = answer.json()
    except ValueError:
        body = {"error": {"message": answer.text[:1000]}}
    response = {"status_code": answer.status_code, "request_id": answer.headers.get("x-request-id", ""), "body": body}
    told = {"id": new_id("batch_req_"), "custom_id": line.custom_id, "response": response, "error": None}
    return Answered(json.dumps(told, ensure_ascii=False), succeeded=answer.is_success)


def _ended(answer: httpx.Response) -> EndedError | None:
    if answer.status_code != HTTPStatus.FORBIDDEN:
        return None
    try:
        error = answer.json()["error"]
        return EndedError(error["code"], error["message"]) if error["code"] in ENDED else None
    except (KeyError, TypeError, ValueError):
        return None


def _seconds(answer: httpx.Response, tries: int) -> float:
    try:
        return min(_LONGEST_PAUSE, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return min(_LONGEST_PAUSE, 2.0**tries)
