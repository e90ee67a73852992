import asyncio
import json

import pytest
from starlette.types import Message

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.exchange.outcome import Outcome
from serve_app.gateway.exchange.record import RequestRecord
from serve_app.gateway.exchange.writer import ResponseWriter, StalledError


class Sent(list[Message]):
    async def __call__(self, message: Message) -> None:
        self.append(message)


class Connection:
    """A client's connection, as the writer sees it."""

    def __init__(self, *, write_paused: bool = False, request_arrived: bool = True) -> None:
        self.write_paused = write_paused
        self.request_arrived = request_arrived
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def record() -> RequestRecord:
    return RequestRecord(request_id=b"id", method="POST", path="/v1/chat/completions")


async def test_what_is_sent_carries_the_request_id_and_is_counted() -> None:
    sent, one = Sent(), record()
    response = ResponseWriter(sent, one, Connection(), closing=True)
    await response.start(200, [(b"a", b"b")])
    await response.write(b"abc", more=True)
    await response.write(b"de", more=False)
    one.end()
    assert sent[0]["headers"] == [(b"a", b"b"), (b"x-request-id", b"id"), (b"connection", b"close")]
    assert (one.status, one.bytes_sent, one.outcome) == (200, 5, Outcome.SUCCESS)
    assert one.seconds >= one.seconds_to_first_byte > 0


async def test_a_refusal() -> None:
    sent = Sent()
    await ResponseWriter(sent, record(), Connection()).refuse(ApiError(404, "No.", headers=[(b"allow", b"GET")]))
    assert json.loads(sent[1]["body"])["error"]["message"] == "No."
    headers = dict(sent[0]["headers"])
    assert (headers[b"allow"], headers[b"content-length"]) == (b"GET", str(len(sent[1]["body"])).encode())


async def test_a_refusal_in_a_stream_that_has_started_is_an_event() -> None:
    sent, one = Sent(), record()
    response = ResponseWriter(sent, one, Connection())
    await response.start(200, [])
    await response.refuse(ApiError(503, "No."))
    assert sent[1]["body"].startswith(b"data: {")
    assert (one.status, one.complete) == (503, True)


async def test_a_client_that_does_not_read_is_given_up() -> None:
    async def send(message: Message) -> None:
        await asyncio.Event().wait()

    one, connection = record(), Connection(write_paused=True)
    response = ResponseWriter(send, one, connection, write_seconds=0.01)
    with pytest.raises(StalledError):
        await response.write(b"x", more=True)
    assert connection.aborted
    assert (one.stalled, one.outcome) == (True, Outcome.STALLED)


async def test_a_response_to_a_request_that_was_not_read_ends_the_connection() -> None:
    sent = Sent()
    await ResponseWriter(sent, record(), Connection(request_arrived=False)).start(401, [])
    assert (b"connection", b"close") in sent[0]["headers"]
