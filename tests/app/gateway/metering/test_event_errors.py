import json

import pytest

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.metering.event_errors import EventErrors
from serve_app.gateway.metering.event_stream import EventStream

from .samples import in_bytes, in_events, in_twos, read, sample

ERRORS: dict[Shape, bytes] = {
    "openai": b'data: {"error": {"message": "No.", "type": "InternalServerError", "param": null, "code": 500}}\n\n',
    "anthropic": b'event: error\ndata: {"type":"error","error":{"type":"internal_error","message":"No."}}\n\n',
}
STREAMS: dict[Shape, str] = {"openai": "chat.plain.txt", "anthropic": "messages.txt"}


@pytest.mark.parametrize("shape", ERRORS)
def test_errors_are_in_the_callers_shape(shape: Shape) -> None:
    errors = EventErrors(shape, "r1")
    event = errors.shaped(ERRORS[shape])
    content = json.loads(event[event.index(b"data: ") + 6 :])
    assert content["error"]["type"] == {"openai": "server_error", "anthropic": "api_error"}[shape]
    assert content.get("request_id") == (None if shape == "openai" else "r1")
    assert errors.status == 500


@pytest.mark.parametrize("shape", ERRORS)
def test_other_events_stay(shape: Shape) -> None:
    errors = EventErrors(shape)
    for event in (*in_events(sample(STREAMS[shape])), b'data: {"error":null}\n\n', b"event: error\ndata: x\n\n", b""):
        assert errors.shaped(event) is event
    assert errors.status == 0


@pytest.mark.parametrize("shape", ERRORS)
def test_an_event_is_held_back_only_as_long_as_it_may_be_an_error(shape: Shape) -> None:
    errors = EventErrors(shape)
    assert all(errors.begins(ERRORS[shape][:size]) for size in range(1, len(ERRORS[shape])))
    other = in_events(sample(STREAMS[shape]))[-2]
    assert not errors.begins(other[:20])


@pytest.mark.parametrize("shape", ERRORS)
def test_in_a_stream_that_is_only_read_however_it_is_divided(shape: Shape) -> None:
    events = in_events(sample(STREAMS[shape]))[:3]
    body = b"".join(events) + ERRORS[shape] + events[-1]
    expected = b"".join(events) + EventErrors(shape).shaped(ERRORS[shape]) + events[-1]
    for pieces in ((body,), in_bytes(body), *in_twos(body), in_events(body)):
        stream = EventStream(shape)
        assert read(stream, *pieces)[0] == expected
        assert (stream.error_status, stream.holding) == (500, False)


def test_a_stream_that_breaks_inside_an_error_loses_nothing() -> None:
    for size in range(len(ERRORS["openai"])):
        assert read(EventStream("openai"), ERRORS["openai"][:size])[0] == ERRORS["openai"][:size]
