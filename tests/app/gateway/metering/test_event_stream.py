import json
import random

import pytest

from serve_app.gateway.exchange.usage import Usage, UsageRequest
from serve_app.gateway.metering.event_stream import LONGEST_HELD, LONGEST_READ
from serve_app.gateway.metering.usage import reader

from .samples import BY_NAME, in_bytes, in_events, in_twos, new_reader, read, sample

STREAMS = {
    "chat.asked.txt": Usage(6, 0, 4),
    "chat-n2.asked.txt": Usage(6, 0, 8),
    "chat-cached.asked.txt": Usage(118, 384, 4),
    "chat-tools.asked.txt": Usage(6, 0, 17),
    "chat-echo.asked.txt": Usage(35, 0, 4),
    "chat.continuous.txt": Usage(6, 0, 4),
    "chat-n2.continuous.txt": Usage(6, 0, 8),
    "chat.plain.txt": None,
    "completions.asked.txt": Usage(12, 0, 3),
    "completions-two-n2.asked.txt": Usage(13, 0, 12),
    "completions.plain.txt": None,
    "responses.txt": Usage(6, 0, 3),
    "messages.txt": Usage(6, 0, 4),
    "messages-cached.txt": Usage(118, 384, 3),
    "messages-created.txt": Usage(452, 0, 3),
}
CHAT = BY_NAME["chat_completions"]
FLAT = '{"usage":{"prompt_tokens":1,"completion_tokens":1}}'


def event(**content: object) -> bytes:
    return b"data: " + json.dumps(content, separators=(",", ":")).encode() + b"\n\n"


USAGE = {"prompt_tokens": 7, "total_tokens": 9, "completion_tokens": 2}
USAGE_EVENT = event(id="1", choices=[], usage=USAGE)
DONE = b"data: [DONE]\n\n"
CHUNK = event(id="1", choices=[{"index": 0, "delta": {"content": "a"}, "finish_reason": None}])
FINISH = event(id="1", choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])


@pytest.mark.parametrize(("name", "usage"), STREAMS.items())
def test_usage_of_real_streams_however_they_are_divided(name: str, usage: Usage | None) -> None:
    body = sample(name)
    for pieces in ((body,), in_bytes(body), in_events(body), *in_twos(body)):
        assert read(new_reader(name), *pieces) == (body, usage)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_is_only_read_is_passed_on_piece_by_piece(name: str) -> None:
    stream = new_reader(name)
    assert all(stream.feed(piece) is piece for piece in in_events(sample(name)))
    stream, sent, passed = new_reader(name), 0, 0
    for byte in in_bytes(sample(name)):
        sent, passed = sent + 1, passed + len(stream.feed(byte))
        assert sent - passed < len(b'data: {"error"'), "as long as it may be an error"


def test_what_a_broken_stream_reported_is_partial() -> None:
    for name, expected in (
        ("chat.continuous.txt", Usage(6, 0, 1, partial=True)),
        ("messages.txt", Usage(6, 0, 0, partial=True)),
        ("responses.txt", None),
        ("chat.asked.txt", None),
    ):
        assert read(new_reader(name), *in_events(sample(name))[:2])[1] == expected, name


@pytest.mark.parametrize("api", ["chat_completions", "messages", "responses"])
@pytest.mark.parametrize(
    "content",
    [
        {"delta": {"content": FLAT}},
        {"delta": "usage"},
        {"delta": {"tool_calls": [{"function": {"arguments": FLAT}}]}},
        {"item": {"usage": {"input_tokens": 1, "prompt_tokens": 1}}},
        {"response": {"tools": [{"parameters": {"usage": {"input_tokens": 1}}}], "usage": None}},
        {"message": {"content": [{"input": {"usage": {"input_tokens": 1}}}]}},
        {"usage": "much"},
        {"usage": None},
    ],
)
def test_what_looks_like_usage_is_not_counted(api: str, content: dict[str, object]) -> None:
    body = event(**content)
    for pieces in ((body,), in_bytes(body)):
        assert read(reader(BY_NAME[api], event_stream=True), *pieces) == (body, None)


def test_a_response_that_repeats_a_long_request_is_still_counted() -> None:
    response = {"metadata": {"a": "x" * (4 * LONGEST_HELD)}, "usage": {"input_tokens": 7, "output_tokens": 2}}
    body = b"event: response.completed\n" + event(response=response)
    pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    assert read(reader(BY_NAME["responses"], event_stream=True), *pieces)[1] == Usage(7, 0, 2)


def test_an_event_without_end_does_not_fill_the_memory() -> None:
    for strip, longest in ((False, LONGEST_READ), (True, LONGEST_HELD)):
        stream = reader(CHAT, event_stream=True, request=UsageRequest({}, strip_total=strip))
        piece = b"x" * 65536
        for _ in range(2 * longest // len(piece)):
            stream.feed(piece)
            assert len(stream._buffer.held) <= longest + len(piece)  # type: ignore[attr-defined]
        assert read(stream, b"\n\n" + USAGE_EVENT)[1] == Usage(7, 0, 2)


def test_other_line_ends_and_divided_data_are_read() -> None:
    lines = USAGE_EVENT.replace(b",", b",\ndata:").replace(b"\n", b"\r\n")
    body = b": comment\r\n\r\nevent: x\r\n" + lines + DONE
    for pieces in ((body,), in_bytes(body), *in_twos(body)):
        assert read(reader(CHAT, event_stream=True), *pieces) == (body, Usage(7, 0, 2))


def test_transcripts_report_like_completions_or_like_responses() -> None:
    for body in (
        event(object="transcription.chunk", choices=[], usage=USAGE),
        event(type="transcript.text.done", usage={"input_tokens": 7, "output_tokens": 2}),
    ):
        assert read(reader(BY_NAME["transcriptions"], event_stream=True), body)[1] == Usage(7, 0, 2)


def test_the_end_of_a_message_need_not_repeat_its_beginning() -> None:
    begun = {"input_tokens": 1, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2, "output_tokens": 1}
    body = event(type="message_start", message={"usage": begun}) + event(
        type="message_delta", usage={"output_tokens": 9}
    )
    assert read(reader(BY_NAME["messages"], event_stream=True), body)[1] == Usage(3, 3, 9)


def test_random_divisions() -> None:
    draw = random.Random(7)  # noqa: S311
    for name, usage in STREAMS.items():
        body = sample(name)
        for _ in range(50):
            cuts = sorted(draw.sample(range(len(body)), 5))
            pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
            assert read(new_reader(name), *pieces) == (body, usage)
