import asyncio
import datetime
import json
from typing import Any

import pytest

from serve_app.gateway.exchange.caller import ANYBODY
from serve_app.gateway.exchange.outcome import Outcome
from serve_app.gateway.metering.usage_log import FLUSH_BYTES, FLUSH_SECONDS, LONGEST_PROMPT, UsageLog

from .support import CHAT, record, target


class Stream:
    """Notes what each write held; what was not flushed is not there yet."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self._unflushed: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._unflushed.append(data)
        return len(data)

    def flush(self) -> None:
        self.writes += self._unflushed
        self._unflushed.clear()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in b"".join(self.writes).splitlines()]


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def log(stream: Stream) -> UsageLog:
    return UsageLog(stream)


async def test_a_line_tells_of_the_request(log: UsageLog, stream: Stream) -> None:
    log.write(record())
    log.flush()
    (line,) = stream.lines
    at = datetime.datetime.fromisoformat(line.pop("ts"))
    assert abs((datetime.datetime.now(datetime.UTC) - at).total_seconds()) < 60
    assert line == {
        "log": "usage",
        "request_id": "r-1",
        "method": "POST",
        "path": CHAT,
        "api": "chat_completions",
        "team": "search",
        "key": "alice",
        "subject": "alice@example.com",
        "work": "",
        "model": "a",
        "route": "chat",
        "status": 200,
        "outcome": "2xx",
        "stream": True,
        "prompt_tokens": 1000,
        "cached_tokens": 2000,
        "completion_tokens": 301,
        "partial": False,
        "cost": pytest.approx(0.00601),
        "currency": "EUR",
        "queue_ms": 250,
        "ttfb_ms": 500,
        "duration_ms": 2500,
        "bytes": 4242,
        "retries": 1,
    }


async def test_what_is_not_known_is_null_and_every_line_has_the_same_keys(log: UsageLog, stream: Stream) -> None:
    log.write(record())
    log.write(
        record(
            caller=ANYBODY,
            api=None,
            path="/v1/unknown",
            target=None,
            asked=False,
            status=404,
            outcome=Outcome.CLIENT_ERROR,
            first_byte_at=0.0,
            usage=None,
        )
    )
    log.write(record(target=target(price=None)))
    log.flush()
    known, unknown, free = stream.lines
    assert list(known) == list(unknown) == list(free)
    for key in ("prompt_tokens", "cached_tokens", "completion_tokens", "partial", "cost", "ttfb_ms"):
        assert unknown[key] is None
    assert (unknown["model"], unknown["api"], unknown["key"]) == ("", "", "")
    assert free["cost"] is None
    assert free["prompt_tokens"] == 1000


async def test_prompts_are_written_only_where_they_are_given(log: UsageLog, stream: Stream) -> None:
    body = '{"messages": [{"role": "user",\n "content": "caf\u00e9 \\n"}]}'.encode()
    log.write(record())
    log.write(record(prompt=body))
    log.write(record(prompt=b"\xc3\xa9" * LONGEST_PROMPT))
    log.write(record(prompt=b"x" + b"\xc3\xa9" * LONGEST_PROMPT))
    log.flush()
    without, whole, cut, cut_inside = stream.lines
    assert "prompt" not in without
    assert json.loads(whole["prompt"])["messages"][0]["content"] == "café \n"
    assert cut["prompt"] == "é" * (LONGEST_PROMPT // 2)
    assert cut_inside["prompt"] == "x" + "é" * (LONGEST_PROMPT // 2 - 1)


async def test_lines_are_gathered_and_keep_their_order(log: UsageLog, stream: Stream) -> None:
    for number in range(5):
        log.write(record(request_id=b"%d" % number))
    assert not stream.writes
    await asyncio.sleep(FLUSH_SECONDS * 3)
    assert len(stream.writes) == 1
    assert [line["request_id"] for line in stream.lines] == ["0", "1", "2", "3", "4"]
    log.write(record(request_id=b"5"))
    await asyncio.sleep(FLUSH_SECONDS * 3)
    assert [line["request_id"] for line in stream.lines] == ["0", "1", "2", "3", "4", "5"]


async def test_many_lines_do_not_wait(log: UsageLog, stream: Stream) -> None:
    count = 0
    while not stream.writes:
        log.write(record(request_id=b"%d" % count))
        count += 1
    assert FLUSH_BYTES <= len(stream.writes[0]) < FLUSH_BYTES + 1024
    assert [line["request_id"] for line in stream.lines] == [str(number) for number in range(count)]


async def test_the_end_loses_nothing(log: UsageLog, stream: Stream) -> None:
    log.write(record(request_id=b"last"))
    log.flush()
    assert [line["request_id"] for line in stream.lines] == ["last"]
    log.flush()
    await asyncio.sleep(FLUSH_SECONDS * 2)
    assert len(stream.writes) == 1
