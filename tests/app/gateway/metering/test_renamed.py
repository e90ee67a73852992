import json
import random

import pytest

from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.events import data_of
from serve_app.gateway.metering.renamed import Renamed, RenamedStream, in_error, in_object

from .samples import api_of, in_bytes, in_events, in_twos, new_reader, read, sample

WHOLE = ["chat.json", "messages.json", "rerank.json", "responses.json", "score.json", "embeddings.json"]
STREAMS = {
    "chat.asked.txt": 7,
    "chat-n2.continuous.txt": 12,
    "completions.asked.txt": 5,
    "responses.txt": 3,
    "messages.txt": 1,
}
"""Streams -> how many of their events name the model; the last of a completion's, `[DONE]`, does not."""
CHAT_ERROR = (
    b'data: {"error":{"message":"The model `sparrow` broke.","type":"server_error","param":null,"code":null}}\n\n'
)


def renamed(name: str, *pieces: bytes) -> tuple[bytes, Usage | None]:
    return read(RenamedStream(new_reader(name), api_of(name).shape, "sparrow", "a route"), *pieces)


@pytest.mark.parametrize("name", WHOLE)
def test_whole_answers(name: str) -> None:
    body = sample(name).replace(b'"sparrow-embed"', b'"sparrow"')
    assert body.count(b'"model":"sparrow"') == 1
    expected = body.replace(b'"model":"sparrow"', b'"model":"a route"'), read(new_reader(name), body)[1]
    for pieces in ((body,), in_bytes(body), *in_twos(body)):
        assert read(Renamed(new_reader(name), "a route"), *pieces) == expected


@pytest.mark.parametrize("name", STREAMS)
def test_each_event_of_a_stream(name: str) -> None:
    body = sample(name)
    expected = body.replace(b'"model":"sparrow"', b'"model":"a route"'), read(new_reader(name), body)[1]
    named = STREAMS[name] - (api_of(name).shape == "openai")
    assert expected[0].count(b"a route") == named
    draw = random.Random(7)  # noqa: S311
    by_three = [b"".join(in_events(body)[at : at + 3]) for at in range(0, body.count(b"\n\n"), 3)]
    divided = [(body,), in_bytes(body), in_events(body), by_three]
    divided += [(body[:at], body[at:]) for at in range(0, len(body), max(1, len(body) // 500))]
    for _ in range(20):
        cuts = sorted(draw.sample(range(len(body)), 5))
        divided.append([body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)])
    for pieces in divided:
        assert renamed(name, *pieces) == expected


def test_what_the_client_sent_itself_stays() -> None:
    response = {"metadata": {"model": "sparrow"}, "model": "sparrow", "tools": [{"parameters": {"model": "sparrow"}}]}
    event = b"event: response.created\ndata: " + json.dumps({"response": response}).encode() + b"\n\n"
    for pieces in ((event,), in_bytes(event), *in_twos(event)):
        passed = renamed("responses.txt", *pieces)[0]
        assert json.loads(data_of(passed)) == {"response": response | {"model": "a route"}}


def test_a_name_that_the_server_gives_itself_is_replaced_too() -> None:
    body = sample("chat.asked.txt").replace(b'"sparrow"', b'"sparrow-2026-01-01"')
    assert b"sparrow" not in renamed("chat.asked.txt", *in_events(body))[0]


def test_other_line_ends_and_comments() -> None:
    body = (b": keep-alive\n\n" + sample("messages.txt")).replace(b"\n", b"\r\n")
    expected = body.replace(b'"model":"sparrow"', b'"model":"a route"')
    for pieces in ((body,), in_bytes(body), *in_twos(body)):
        assert renamed("messages.txt", *pieces)[0] == expected


def test_an_error_in_a_stream_does_not_name_the_model() -> None:
    chunk = in_events(sample("chat.asked.txt"))[1]
    for pieces in ((chunk, CHAT_ERROR), (chunk + CHAT_ERROR,)):
        assert b"sparrow" not in renamed("chat.asked.txt", *pieces)[0]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("The model `sparrow` does not exist.", "The model `a route` does not exist."),
        ("sparrow is not a multimodal model", "a route is not a multimodal model"),
        ('The model "sparrow" is busy', 'The model "a route" is busy'),
        ("A sparrow is a bird, and sparrow-2 another", "A sparrow is a bird, and sparrow-2 another"),
        ("`sparrows`", "`sparrows`"),
    ],
)
def test_errors_do_not_name_the_model(message: str, expected: str) -> None:
    error = json.dumps({"error": {"message": message}}, separators=(",", ":")).encode()
    assert json.loads(in_error(error, "sparrow", "a route"))["error"]["message"] == expected


def test_a_header_with_an_object() -> None:
    assert in_object(b'{"model": "sparrow", "usage": {}}', "a route") == b'{"model": "a route", "usage": {}}'
