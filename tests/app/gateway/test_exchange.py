import json

import pytest
from starlette.types import Message

from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.exchange import Exchange
from serve_app.gateway.observe.metrics import Outcome


class Sent(list[Message]):
    async def __call__(self, message: Message) -> None:
        self.append(message)


def exchange(sent: Sent, *, closing: bool = False) -> Exchange:
    return Exchange(sent, request_id=b"id", closing=closing)


async def test_what_is_sent_carries_the_request_id_and_is_counted() -> None:
    sent = Sent()
    one = exchange(sent, closing=True)
    await one.start(200, [(b"a", b"b")])
    await one.write(b"abc", more=True)
    await one.write(b"de", more=False)
    assert sent[0]["headers"] == [(b"a", b"b"), (b"x-request-id", b"id"), (b"connection", b"close")]
    assert (one.status, one.bytes_sent, one.outcome) == (200, 5, Outcome.SUCCESS)
    assert one.end() >= one.seconds_to_first_byte > 0


async def test_a_refusal() -> None:
    sent = Sent()
    one = exchange(sent)
    await one.refuse(ApiError(404, "No.", headers=[(b"allow", b"GET")]))
    assert json.loads(sent[1]["body"])["error"]["message"] == "No."
    headers = dict(sent[0]["headers"])
    assert (headers[b"allow"], headers[b"content-length"]) == (b"GET", str(len(sent[1]["body"])).encode())


@pytest.mark.parametrize(
    ("status", "complete", "disconnected", "outcome"),
    [
        (200, True, False, "2xx"),
        (404, True, False, "4xx"),
        (503, True, False, "5xx"),
        (200, False, False, "broken"),
        (200, False, True, "disconnect"),
        (0, False, True, "disconnect"),
    ],
)
async def test_outcomes(status: int, complete: bool, disconnected: bool, outcome: str) -> None:
    one = exchange(Sent())
    one.disconnected = disconnected
    if status:
        await one.start(status, [])
        await one.write(b"", more=not complete)
    assert one.outcome == outcome
