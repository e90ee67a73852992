"""Usage in each chunk: read all along, and cut off so that the client gets what it would have got."""

import json
import random

import pytest

from serve_app.gateway.exchange.usage import Usage, UsageRequest
from serve_app.gateway.metering.chunk_usage import ChunkUsage
from serve_app.gateway.metering.event_stream import LONGEST_HELD
from serve_app.gateway.metering.usage import Reader, reader

from .samples import BY_NAME, api_of, in_bytes, in_events, in_twos, read, sample
from .test_event_stream import CHAT, DONE

RECORDED = {
    "chat": 1,
    "chat-echo": 1,
    "chat-logprobs": 1,
    "chat-token-ids": 1,
    "completions": 1,
    "completions-echo": 1,
}
"""Streams of which all three recordings are alike, usage apart -> `n`."""
ALONE = {"chat-n2": 2, "chat-n3": 3, "chat-tools": 1, "completions-two-n2": 2}
"""Streams that never are the same twice -> `n`."""


def stream(name: str, choices: int, *, total: bool) -> Reader:
    request = UsageRequest({}, strip_chunks=True, strip_total=total, choices=choices)
    return reader(api_of(name), event_stream=True, request=request)


def total_of(name: str) -> Usage:
    """What the event at the end says."""
    usage = json.loads(in_events(sample(f"{name}.continuous.txt"))[-2][6:])["usage"]
    return Usage(usage["prompt_tokens"], 0, usage["completion_tokens"])


def pieces_of(body: bytes) -> list[tuple[bytes, ...]]:
    draw = random.Random(7)  # noqa: S311
    events = in_events(body)
    by_four = [b"".join(events[at : at + 4]) for at in range(0, len(events), 4)]
    divided = [(body,), tuple(events), tuple(by_four), tuple(in_bytes(body))]
    divided += [(body[:at], body[at:]) for at in range(0, len(body), max(1, len(body) // 500))]
    for _ in range(10):
        cuts = sorted(draw.sample(range(len(body)), 5))
        divided.append(tuple(body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)))
    return divided


@pytest.mark.parametrize(("name", "choices"), RECORDED.items())
@pytest.mark.parametrize("asked", [False, True], ids=["plain", "asked"])
def test_real_streams_are_what_they_would_have_been(name: str, choices: int, asked: bool) -> None:
    expected = sample(f"{name}.{'asked' if asked else 'plain'}.txt"), total_of(name)
    for pieces in pieces_of(sample(f"{name}.continuous.txt")):
        assert read(stream(name, choices, total=not asked), *pieces) == expected


@pytest.mark.parametrize(("name", "choices"), ALONE.items())
def test_streams_lose_their_usage_and_nothing_else(name: str, choices: int) -> None:
    body = sample(f"{name}.continuous.txt")
    expected = b""
    for event in in_events(body):
        content = json.loads(event[6:]) if b"[DONE]" not in event else {}
        usage = b',"usage":' + json.dumps(content.get("usage"), separators=(",", ":")).encode()
        expected += event.replace(usage, b"") if content.get("choices") else event
    assert len(expected) < len(body)
    for pieces in pieces_of(body):
        assert read(stream(name, choices, total=False), *pieces) == (expected, total_of(name))


@pytest.mark.parametrize(("name", "choices"), (RECORDED | ALONE).items())
@pytest.mark.parametrize("size", [1, 3])
def test_what_was_made_is_known_at_any_time(name: str, choices: int, size: int) -> None:
    """Each chunk says what its own choice has; prompts have choices of their own."""
    events = in_events(sample(f"{name}.continuous.txt"))
    left = stream(name, choices, total=True)
    made: dict[int, int] = {}
    prompts: dict[int, int] = {}
    for at in range(0, len(events) - 2, size):
        left.feed(b"".join(events[at : at + size]))
        for event in events[at : at + size]:
            content = json.loads(event[6:]) if b"[DONE]" not in event else {}
            for choice in content.get("choices", []):
                made[choice["index"]] = content["usage"]["completion_tokens"]
                prompts[choice["index"] // choices] = content["usage"]["prompt_tokens"]
        if at + size < len(events) - 1:
            assert left.usage == Usage(sum(prompts.values()), 0, sum(made.values()), partial=True)


@pytest.mark.parametrize("name", ["chat", "completions"])
def test_after_the_first_chunks_nothing_is_parsed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = in_events(sample(f"{name}.continuous.txt"))[:-3]
    left = stream(name, 1, total=True)
    first = chunks[:2]
    for chunk in first:
        left.feed(chunk)
    monkeypatch.setattr("serve_app.gateway.metering.chunk_usage.read_usage", None)
    for piece in (*chunks[2:], b"".join(chunks[2:] * 40)):
        assert b"usage" not in left.feed(piece)
    assert left.usage is not None
    assert left.usage.completion == json.loads(chunks[-1][6:])["usage"]["completion_tokens"]


def test_tokens_of_reasoning_are_cut_off_with_the_rest() -> None:
    chunk = b'data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"reasoning":"x"},"finish_reason":null}]%s}\n\n'
    usage = b',"usage":{"prompt_tokens":6,"total_tokens":%d,"completion_tokens":%d,"completion_tokens_details":%s}'
    details = b'{"reasoning_tokens":%d}'
    body = b"".join([chunk % (usage % (6 + at, at, details % (at // 2))) for at in range(1, 200)])
    expected = (chunk % b"") * 199
    for pieces in ((body,), in_events(body), [body[at : at + 1000] for at in range(0, len(body), 1000)]):
        assert read(stream("chat", 1, total=True), *pieces) == (expected, Usage(6, 0, 199, partial=True))


def test_text_that_looks_like_usage_stays() -> None:
    text = b'data: {"choices":[{"delta":{"content":"\\",\\"usage\\":{\\"x\\":1}"}}]}\n\n'
    assert read(stream("chat", 1, total=True), text) == (text, None)


def test_other_events_pass_in_their_order() -> None:
    chunks = in_events(sample("chat.continuous.txt"))
    plain = in_events(sample("chat.asked.txt"))
    comment = b": keep-alive\n\n"
    left = stream("chat", 1, total=False)
    assert left.feed(chunks[0] + chunks[1]) == plain[0] + plain[1]
    for between in (comment, DONE, b"\n\n", b"data: x\n\n\n"):
        assert left.feed(chunks[2] + between + chunks[3]) == plain[2] + between + plain[3]
        assert left.feed(between + chunks[2]) == between + plain[2]
        assert left.feed(between) == between


def test_an_error_in_the_stream_is_in_the_clients_shape() -> None:
    error = b'data: {"error": {"message": "No.", "type": "InternalServerError", "param": null, "code": 500}}\n\n'
    chunks = in_events(sample("chat.continuous.txt"))[:3]
    body = b"".join(chunks) + error + DONE
    for pieces in ((body,), in_events(body), in_bytes(body), *in_twos(body)):
        left = stream("chat", 1, total=True)
        passed, usage = read(left, *pieces)
        assert passed.startswith(b"".join(in_events(sample("chat.plain.txt"))[:3]))
        last = in_events(passed)[3:]
        assert json.loads(last[0][6:])["error"] == {
            "message": "No.",
            "type": "server_error",
            "param": None,
            "code": None,
        }
        assert (last[1:], usage, left.error_status) == ([DONE], Usage(6, 0, 2, partial=True), 500)


@pytest.mark.parametrize("total", [True, False])
def test_a_stream_that_breaks_off_loses_nothing_else(total: bool) -> None:
    body, whole = sample("chat.continuous.txt"), sample(f"chat.{'plain' if total else 'asked'}.txt")
    for at in range(len(body)):
        left = stream("chat", 1, total=total)
        passed, _ = read(left, body[:at])
        events = [event for event in in_events(body[:at]) if b'"choices":[]' not in event]
        finished = b"".join(in_events(whole)[: len(events)])
        same = whole.replace(b',"system_fingerprint":"vllm-0.29.0-aaadc1db"', b"")
        assert passed.startswith(finished) or same.startswith(b"".join(in_events(passed)))
        assert not left.holding


def test_an_event_without_end_does_not_fill_the_memory() -> None:
    left = stream("chat", 1, total=True)
    assert isinstance(left, ChunkUsage)
    piece = b"x" * 65536
    for _ in range(2 * LONGEST_HELD // len(piece)):
        left.feed(piece)
        assert len(left._buffer.held) <= LONGEST_HELD + len(piece)


def test_transcriptions_and_answers_of_providers_have_no_such_chunks() -> None:
    request = UsageRequest({}, strip_chunks=True, strip_total=True)
    assert not isinstance(reader(CHAT, event_stream=True, request=request, external=True), ChunkUsage)
    assert not isinstance(reader(BY_NAME["transcriptions"], event_stream=True), ChunkUsage)
