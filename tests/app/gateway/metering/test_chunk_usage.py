"""Usage in each chunk: read all along, and taken out so that the client gets what it would have got."""

import pytest

from serve_app.gateway.exchange.usage import Usage, UsageRequest
from serve_app.gateway.metering.usage import Reader, reader

from .samples import in_bytes, in_events, in_twos, read, sample
from .test_event_stream import CHAT, DONE

ALL, CHUNKS = UsageRequest({}, strip_chunks=True, strip_total=True), UsageRequest({}, strip_chunks=True)
STREAM = sample("chat-continuous.txt")
WITHOUT = b"".join(
    event[: event.index(b',"usage":{')] + event[event.index(b"}", event.index(b',"usage":{')) + 1 :]
    if b',"usage":{' in event and b'"choices":[]' not in event
    else event
    for event in in_events(STREAM)
)
USAGE = Usage(6, 0, 4)


def stream(request: UsageRequest) -> Reader:
    return reader(CHAT, event_stream=True, request=request)


def test_the_sample_has_usage_in_each_chunk() -> None:
    assert STREAM.count(b',"usage":{') == len(in_events(STREAM)) - 1
    assert WITHOUT.count(b',"usage":{') == 1


@pytest.mark.parametrize("divided", [lambda body: (body,), in_bytes, in_events])
def test_chunks_are_without_usage_and_the_end_is_as_it_was(divided: object) -> None:
    assert callable(divided)
    assert read(stream(CHUNKS), *divided(STREAM)) == (WITHOUT, USAGE)


def test_so_it_is_wherever_the_stream_is_divided() -> None:
    for pieces in in_twos(STREAM):
        assert read(stream(CHUNKS), *pieces) == (WITHOUT, USAGE)


def test_a_client_that_asked_for_none_gets_none() -> None:
    for pieces in ((STREAM,), in_events(STREAM), in_bytes(STREAM)):
        passed, usage = read(stream(ALL), *pieces)
        assert b"usage" not in passed
        assert usage == USAGE
        assert passed.endswith(DONE)
        assert b'"system_fingerprint":"vllm-0.29.0-30e5a70d"' in passed, "moved to where it is without usage"


def test_what_was_made_is_known_when_the_client_leaves() -> None:
    left = stream(ALL)
    known = []
    for event in in_events(STREAM)[:4]:
        left.feed(event)
        known.append(left.usage)
    assert known == [Usage(6, 0, tokens, partial=True) for tokens in (0, 1, 2, 3)]


def test_text_that_looks_like_usage_stays() -> None:
    text = b'data: {"choices":[{"delta":{"content":"\\",\\"usage\\":{\\"x\\":1}"}}]}\n\n'
    assert read(stream(ALL), text) == (text, None)


def test_nested_details_go_too() -> None:
    chunk = b'data: {"choices":[{"index":0}],"usage":{"prompt_tokens":1,"d":{"r":2},"completion_tokens":3}}\n\n'
    assert read(stream(ALL), chunk) == (b'data: {"choices":[{"index":0}]}\n\n', Usage(1, 0, 3, partial=True))
    assert read(stream(ALL), chunk * 2)[0] == b'data: {"choices":[{"index":0}]}\n\n' * 2


def test_a_stream_that_breaks_off_loses_nothing_else() -> None:
    for at in range(len(STREAM)):
        passed, _ = read(stream(CHUNKS), STREAM[:at])
        whole = STREAM[: STREAM.rfind(b"\n\n", 0, at) + 2].count(b"\n\n")
        assert passed.startswith(b"".join(in_events(WITHOUT)[:whole]))
