"""What a client gets whose stream was asked for usage, and what it would have got without."""

import random

import pytest

from serve_app.gateway.exchange.usage import Usage, UsageRequest
from serve_app.gateway.metering.event_stream import LONGEST_HELD
from serve_app.gateway.metering.usage import reader

from .samples import in_bytes, in_events, in_twos, new_reader, pairs, read, sample
from .test_event_stream import CHAT, CHUNK, DONE, FINISH, STREAMS, USAGE, USAGE_EVENT, event

FINGERPRINTED = event(id="1", choices=[], usage=USAGE, system_fingerprint="v\u00e9")
STAMPED = FINISH[:-3] + ',"system_fingerprint":"v\u00e9"}\n\n'.encode()
READ = Usage(7, 0, 2)
STRIP = UsageRequest({}, strip_total=True)
SEVERAL = {"chat-n3": 2, "completions-two-n2": 0}
"""Pairs whose choices take turns in another order each time -> how many choices finish before others go on."""


def stripped(*pieces: bytes) -> tuple[bytes, Usage | None]:
    return read(reader(CHAT, event_stream=True, request=STRIP), *pieces)


@pytest.mark.parametrize("name", sorted(set(pairs()) - set(SEVERAL)))
def test_real_streams_are_what_they_would_have_been(name: str) -> None:
    asked, plain = sample(f"{name}.asked.txt"), sample(f"{name}.plain.txt")
    usage = read(new_reader(f"{name}.asked.txt"), asked)[1]
    assert usage is not None
    for pieces in ((asked,), in_bytes(asked), in_events(asked), *in_twos(asked)):
        assert read(new_reader(f"{name}.asked.txt", strip=True), *pieces) == (plain, usage)


@pytest.mark.parametrize(("name", "early"), SEVERAL.items())
def test_choices_that_finish_early_lack_the_fingerprint_and_nothing_else(name: str, early: int) -> None:
    asked, plain = sample(f"{name}.asked.txt"), sample(f"{name}.plain.txt")
    got = in_events(read(new_reader(f"{name}.asked.txt", strip=True), asked)[0])
    expected = in_events(plain)
    assert len(got) == len(expected)
    other = [one for one in expected if one not in got]
    assert len(other) == early
    assert all(one.replace(b',"system_fingerprint":"vllm-0.29.0-30e5a70d"', b"") in got for one in other)


def test_random_divisions() -> None:
    draw = random.Random(7)  # noqa: S311
    for name in pairs():
        asked = sample(f"{name}.asked.txt")
        whole = read(new_reader(f"{name}.asked.txt", strip=True), asked)
        for _ in range(50):
            cuts = sorted(draw.sample(range(len(asked)), 5))
            pieces = [asked[a:b] for a, b in zip([0, *cuts], [*cuts, len(asked)], strict=True)]
            assert read(new_reader(f"{name}.asked.txt", strip=True), *pieces) == whole


def test_pieces_that_end_with_an_event_are_passed_on_at_once_and_as_they_are() -> None:
    stream = reader(CHAT, event_stream=True, request=STRIP)
    for piece in (CHUNK, CHUNK * 3, b": keep-alive\n\n", CHUNK.replace(b"\n", b"\r\n")):
        assert stream.feed(piece) is piece
    word = CHUNK.replace(b'"a"', b'"usage"')
    assert stream.feed(word) == word


def test_only_an_event_that_is_not_complete_is_held_back() -> None:
    stream = reader(CHAT, event_stream=True, request=STRIP)
    assert stream.feed(CHUNK + CHUNK[:9]) == CHUNK
    assert stream.feed(CHUNK[9:-1]) == b""
    assert stream.feed(CHUNK[-1:] + CHUNK) == CHUNK + CHUNK


def test_the_last_chunk_waits_for_the_event_after_it() -> None:
    stream = reader(CHAT, event_stream=True, request=STRIP)
    assert stream.feed(CHUNK + FINISH) == CHUNK
    assert stream.feed(FINGERPRINTED) == STAMPED
    assert stream.feed(DONE) is DONE
    assert stream.usage == READ


@pytest.mark.parametrize("after", [CHUNK, DONE, b": keep-alive\n\n", CHUNK[:9], b""])
def test_a_last_chunk_without_usage_after_it_is_as_it_came(after: bytes) -> None:
    assert stripped(FINISH, after) == (FINISH + after, None)


def test_a_server_without_fingerprints_gets_none_put_in() -> None:
    assert stripped(CHUNK, FINISH, USAGE_EVENT, DONE) == (CHUNK + FINISH + DONE, READ)


def test_choices_that_finish_together_are_all_stamped() -> None:
    assert stripped(FINISH, FINISH, FINGERPRINTED, DONE) == (STAMPED + STAMPED + DONE, READ)
    assert stripped(FINISH, CHUNK, FINISH, FINGERPRINTED) == (FINISH + CHUNK + STAMPED, READ)


@pytest.mark.parametrize("null", [b',"usage":null', b',"usage": null', b', "usage" : null'])
def test_null_usage_of_other_servers_is_taken_out(null: bytes) -> None:
    chunk = CHUNK[:-3] + null + CHUNK[-3:]
    first = CHUNK.replace(b"{", b"{" + null[1:].strip() + b",", 1)
    quoted = CHUNK.replace(b'"a"', b'"\\"usage\\":null,\\"usage\\":{"')
    for body in (chunk + first + quoted + FINISH[:-3] + null + FINISH[-3:] + USAGE_EVENT + DONE,):
        for pieces in ((body,), in_bytes(body), in_events(body)):
            assert stripped(*pieces) == (CHUNK + CHUNK + quoted + FINISH + DONE, READ)


def test_a_fingerprint_that_is_there_is_not_put_in_twice() -> None:
    for chunk in (
        FINISH[:-3] + b',"system_fingerprint":"fp"' + FINISH[-3:],
        FINISH.replace(b'"choices"', b'"system_fingerprint":"fp","choices"'),
    ):
        stream = reader(CHAT, event_stream=True, request=STRIP)
        assert stream.feed(chunk) == chunk
        assert stream.feed(FINGERPRINTED) == b""


def test_what_a_server_reports_unasked_stays() -> None:
    """In the last chunk (other servers), or everywhere (vLLM with --enable-force-include-usage)."""
    in_last = FINISH[:-3] + b',"usage":{"prompt_tokens":7,"completion_tokens":2}' + FINISH[-3:]
    assert stripped(CHUNK, in_last, DONE) == (CHUNK + in_last + DONE, READ)
    body = sample("chat.continuous.txt")
    for pieces in ((body,), in_events(body), in_bytes(body)):
        assert stripped(*pieces) == (body, STREAMS["chat.continuous.txt"])


def test_an_error_in_the_stream_is_in_the_clients_shape() -> None:
    error = {"message": "out of usage", "type": "InternalServerError", "param": None, "code": 500}
    shaped = event(error=error | {"type": "server_error", "code": None})
    body = CHUNK + event(error=error) + DONE
    for pieces in ((body,), in_bytes(body), *in_twos(body)):
        stream = reader(CHAT, event_stream=True, request=STRIP)
        assert read(stream, *pieces) == (CHUNK + shaped + DONE, None)
        assert stream.error_status == 500


def test_an_error_of_another_form_is_passed_on() -> None:
    body = CHUNK + event(id="1", choices=[], error={"message": "No.", "code": 502}) + DONE
    assert stripped(body) == (body, None)


def test_a_stream_that_breaks_off_loses_nothing() -> None:
    whole = CHUNK + FINISH + CHUNK
    for at in range(len(whole)):
        assert stripped(*in_bytes(whole[:at])) == (whole[:at], None)


@pytest.mark.parametrize("size", [1, 4096, 65536, 3 * LONGEST_HELD])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_an_event_that_is_too_long_is_passed_on_and_usage_after_it_still_counted(size: int, line_end: bytes) -> None:
    long = CHUNK.replace(b'"a"', b'"' + b"x" * (LONGEST_HELD + 5) + b'"')
    body = (CHUNK + FINISH + long + CHUNK + USAGE_EVENT + DONE).replace(b"\n", line_end)
    start = len(CHUNK + FINISH) + LONGEST_HELD - 100 if size == 1 else 0
    pieces = [body[:start]] + [body[at : at + size] for at in range(start, len(body), size)]
    stream = reader(CHAT, event_stream=True, request=STRIP)
    passed, usage = read(stream, *pieces)
    assert usage == READ
    assert passed == body.replace(USAGE_EVENT.replace(b"\n", line_end), b"")


def test_a_client_waits_for_no_more_than_the_bound() -> None:
    stream = reader(CHAT, event_stream=True, request=STRIP)
    sent = passed = 0
    for _ in range(3 * LONGEST_HELD // 65536):
        sent += 65536
        passed += len(stream.feed(b"x" * 65536))
        assert sent - passed <= LONGEST_HELD + 65536
