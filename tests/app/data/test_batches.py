"""/v1/batches with OpenAI's own client: each line is answered once, whatever is killed."""

import asyncio
import json
from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError, ConflictError, NotFoundError
from openai.types import Batch

from serve_app.data.batches import records, runner
from serve_app.data.batches.lines import MOST_LINES, check
from serve_app.data.batches.pace import Pace

from .conftest import Start
from .support import Component, FakeGateway, until

CHAT: Any = "/v1/chat/completions"


def line(number: int, messages: Any = None, **more: Any) -> dict[str, Any]:
    body = {"model": "m", "messages": messages or f"question {number}"}
    return {"custom_id": f"line-{number}", "method": "POST", "url": CHAT, "body": body} | more


async def begun(client: AsyncOpenAI, lines: list[Any]) -> Batch:
    content = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    file = await client.files.create(file=("in.jsonl", content.encode()), purpose="batch")
    return await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")


async def ended(client: AsyncOpenAI, batch: Batch, seconds: float = 60) -> Batch:
    async def over() -> bool:
        return (await client.batches.retrieve(batch.id)).status in ("completed", "failed", "expired", "cancelled")

    await until(over, seconds)
    return await client.batches.retrieve(batch.id)


async def lines_of(client: AsyncOpenAI, file_id: str | None) -> list[dict[str, Any]]:
    assert file_id
    return [json.loads(each) for each in (await client.files.content(file_id)).text.splitlines()]


async def test_a_batch_is_answered_line_by_line(running: Component, gateway: FakeGateway) -> None:
    client = running.client()
    gateway.failures = [(429, "slow down"), (503, "no room"), (500, "oops")]
    batch = await ended(client, await begun(client, [line(1), line(2, "bad"), line(3)]))
    assert batch.status == "completed"
    assert batch.request_counts
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (3, 2, 1)
    output = await lines_of(client, batch.output_file_id)
    assert [each["custom_id"] for each in output] == ["line-1", "line-3"]
    assert output[0]["response"] == {"status_code": 200, "request_id": "r1", "body": {"echo": "question 1"}}
    (error,) = await lines_of(client, batch.error_file_id)
    assert (error["custom_id"], error["response"]["status_code"]) == ("line-2", 400)
    assert {each["x-gateway-work"] for each in gateway.headers} == {"batch"}
    assert {each["x-gateway-team"] for each in gateway.headers} == {"search"}
    assert [each.id async for each in client.batches.list()] == [batch.id]
    with pytest.raises(ConflictError, match="is completed already"):
        await client.batches.cancel(batch.id)
    with pytest.raises(NotFoundError):
        await running.client(team="ads").batches.retrieve(batch.id)


async def test_a_component_that_ends_loses_and_repeats_no_line(start: Start, gateway: FakeGateway) -> None:
    gateway.gate = asyncio.Event()
    async with start() as first:
        client = first.client()
        batch = await begun(client, [line(number) for number in range(40)])
        await until(lambda: len(gateway.asked) > 4)
    gateway.gate.set()
    async with start() as second:
        client = second.client()
        batch = await ended(client, batch)
        output = await lines_of(client, batch.output_file_id)
    assert [each["custom_id"] for each in output] == [f"line-{number}" for number in range(40)]
    assert all(each["response"]["body"]["echo"].endswith(each["custom_id"][4:].replace("-", " ")) for each in output)


async def test_a_batch_that_is_cancelled_keeps_what_it_has(running: Component, gateway: FakeGateway) -> None:
    gateway.gate = asyncio.Event()
    client = running.client()
    batch = await begun(client, [line(number) for number in range(20)])
    await until(lambda: len(gateway.asked) > 4)
    assert (await client.batches.cancel(batch.id)).status == "cancelling"
    batch = await ended(client, batch)
    gateway.gate.set()
    assert batch.status == "cancelled"
    assert batch.cancelled_at
    assert 0 < len(await lines_of(client, batch.output_file_id)) < 20


async def test_a_batch_ends_with_its_key_and_says_so_of_each_line(
    running: Component, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "FRESH_MS", 0)
    gateway.revoked_after = 30
    client = running.client(team="search", key="ci", **{"key-id": "abc"})
    batch = await ended(client, await begun(client, [line(number) for number in range(150)]))
    assert batch.status == "failed"
    assert batch.errors
    assert batch.errors.data
    assert (batch.errors.data[0].code, batch.errors.data[0].message) == ("key_revoked", "The key is revoked.")
    assert {each["x-gateway-key-id"] for each in gateway.headers} == {"abc"}
    assert len(gateway.asked) < 100, "the rest is not asked for"
    answered = await lines_of(client, batch.output_file_id)
    errors = await lines_of(client, batch.error_file_id)
    assert len(answered) == 30
    assert {each["error"]["code"] for each in errors} == {"key_revoked"}
    ids = [each["custom_id"] for each in answered + errors]
    assert sorted(ids) == sorted(f"line-{number}" for number in range(150))


async def test_a_key_that_a_pod_of_the_gateway_does_not_know_yet_ends_nothing(
    running: Component, gateway: FakeGateway
) -> None:
    gateway.revoked_after = 0
    client = running.client()
    batch = await begun(client, [line(number) for number in range(3)])
    await until(lambda: len(gateway.asked) >= 4)
    gateway.revoked_after = None
    batch = await ended(client, batch)
    assert batch.status == "completed"
    assert batch.request_counts
    assert batch.request_counts.completed == 3


async def test_how_far_a_batch_is_can_be_seen(running: Component, gateway: FakeGateway) -> None:
    gateway.gate = asyncio.Event()
    client = running.client()
    batch = await begun(client, [line(number) for number in range(20)])
    labels = {"batch": batch.id, "team": "search"}
    await until(lambda: running.value("batch_lines", **labels, state="completed") == 4)
    states = {
        state: running.value("batch_lines", **labels, state=state) for state in ("waiting", "in_flight", "failed")
    }
    assert states == {"waiting": 0, "in_flight": 16, "failed": 0}
    await until(lambda: running.value("batch_idle_seconds", team="search") is not None)
    gateway.gate.set()
    assert (await ended(client, batch)).status == "completed"
    assert running.value("batch_lines_ended_total", team="search", status="completed") == 20
    assert running.value("batch_lines", **labels, state="completed") is None
    await until(lambda: running.value("batch_idle_seconds", team="search") is None)


async def test_a_batch_whose_time_is_over_says_so_of_each_line(
    running: Component, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "HOURS", 5 / 3600)
    gateway.failures = [(503, "away")] * 10_000
    client = running.client()
    batch = await ended(client, await begun(client, [line(1), line(2)]))
    assert batch.status == "expired"
    assert gateway.asked
    errors = await lines_of(client, batch.error_file_id)
    assert [each["error"]["code"] for each in errors] == ["batch_expired"] * 2


@pytest.mark.parametrize(
    ("wrong", "code", "says"),
    [
        ("no json", "invalid_json_line", "is no JSON object"),
        (line(1, url="/v1/embeddings"), "invalid_url", "is not the batch's endpoint /v1/chat/completions"),
        (line(1, method="GET"), "invalid_method", "method is not POST"),
        (line(1, custom_id=""), "missing_required_parameter", "custom_id is missing"),
        (line(1, body={}), "invalid_request", "is no object with a model"),
        (line(1, body={"model": "m", "stream": True}), "invalid_request", "a batch has no streams"),
        (line(0), "duplicate_custom_id", "is that of an earlier line"),
    ],
)
def test_lines_that_are_no_requests(wrong: Any, code: str, says: str) -> None:
    text = wrong if isinstance(wrong, str) else json.dumps(wrong)
    total, errors = check([json.dumps(line(0)).encode(), b"\n", text.encode()], CHAT)
    assert total == 2
    (error,) = errors
    assert (error["code"], error["line"]) == (code, 3)
    assert says in error["message"]


def test_more_lines_than_a_batch_may_have() -> None:
    lines = (json.dumps(line(number)).encode() for number in range(MOST_LINES + 1))
    assert check(lines, CHAT)[1][0]["code"] == "too_many_lines"


async def test_what_is_wrong_with_an_input_is_in_the_batch(running: Component) -> None:
    client = running.client()
    batch = await ended(client, await begun(client, [line(1), "no json"]))
    assert batch.status == "failed"
    assert batch.errors
    assert batch.errors.data
    assert (batch.errors.data[0].code, batch.errors.data[0].line) == ("invalid_json_line", 2)
    file = await client.files.create(file=("in.jsonl", b"{}"), purpose="assistants")
    with pytest.raises(BadRequestError, match="upload it with the purpose batch"):
        await client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")


async def test_the_pace_doubles_until_a_refusal_then_halves_and_grows_slowly() -> None:
    now = 100.0
    pace = Pace(32, lambda: now)
    for round_trip in (4, 8, 16):
        assert pace.limit == round_trip
        for _ in range(round_trip):
            pace.went_well()
    assert pace.limit == 32
    pace.went_well()
    assert pace.limit == 32, "no more than it may"
    pace.refused(0)
    pace.refused(0)
    assert pace.limit == 16, "those that were on their way count once"
    for _ in range(17):
        pace.went_well()
    assert pace.limit == 17, "one more for as many as there are at once"
    now += 2
    for _ in range(10):
        pace.refused(0)
        now += 2
    assert pace.limit == 1
    async with pace:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), pace:
                pass
    async with asyncio.timeout(1), pace:
        pass


async def test_two_thousand_lines(running: Component, gateway: FakeGateway) -> None:
    client = running.client()
    batch = await ended(client, await begun(client, [line(number) for number in range(2000)]), 240)
    assert batch.request_counts
    assert batch.request_counts.completed == 2000
    ids = [each["custom_id"] for each in await lines_of(client, batch.output_file_id)]
    assert ids == [f"line-{number}" for number in range(2000)]
    assert len(gateway.asked) == 2000
