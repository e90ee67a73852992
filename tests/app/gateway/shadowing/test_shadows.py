import asyncio
import json
from typing import Any

import pytest

from serve_app.gateway.upstream.attempt import Upstream

from ..support import FakeModel, answer, ask, stream, until
from .shadowed import EVENTS, OTHER, SAID, Start, hang


async def test_a_primary_that_fails(start: Start, model: FakeModel) -> None:
    model.script = [answer(200, SAID)]
    it = await start(model)
    it.send().end(500, True)
    await it.counted("comparisons_total", result="primary_failed")
    assert it.all_counted("requests") == {"2xx": 1}


async def test_a_caller_who_leaves_takes_its_copies_along(start: Start, model: FakeModel) -> None:
    model.script = [stream(*EVENTS, gate=asyncio.Event())]
    it = await start(model)
    shadow = it.send(ask("r", stream=True))
    await it.counted("time_to_first_byte_seconds_count")
    shadow.feed(EVENTS[0])
    shadow.end(200, False)
    await it.counted("requests_total", status="cancelled")
    await asyncio.wait_for(model.cancelled.wait(), 10)
    assert it.all_counted("comparisons") == {"primary_failed": 1}


async def test_a_caller_who_leaves_after_its_copy_was_answered(start: Start, model: FakeModel) -> None:
    it = await start(model)
    shadow = it.send()
    await it.counted("requests_total", status="2xx")
    shadow.end(200, False)
    await it.counted("comparisons_total", result="primary_failed")
    assert it.all_counted("requests") == {"2xx": 1}


@pytest.mark.parametrize("fails", [False, True])
async def test_a_copy_holds_the_body_until_its_model_answers(start: Start, model: FakeModel, fails: bool) -> None:
    gate = asyncio.Event()
    model.script = [answer(500) if fails else stream(b"", *EVENTS, gate=gate)]
    it = await start(model)
    shadow = it.send()
    assert it.memory.used > 0
    await until(lambda: len(model.seen) == 1)
    gate.set()
    await it.counted("requests_total", status="5xx" if fails else "2xx")
    assert it.memory.used == 0
    shadow.end(200, True)


async def test_a_copy_that_is_cancelled_before_it_begins_holds_nothing(start: Start, model: FakeModel) -> None:
    it = await start(model)
    it.send().end(0, False)
    await until(lambda: it.memory.used == 0)
    assert not model.seen


async def test_copies_beyond_the_bound_are_left_out(start: Start, model: FakeModel) -> None:
    gate = asyncio.Event()
    model.script = [stream(*EVENTS, gate=gate)]
    it = await start(model, most=3)
    for _ in range(5):
        it.send()
    await until(lambda: len(model.seen) == 3)
    assert it.value("dropped_total") == 2
    gate.set()
    await it.counted("requests_total", 3, status="2xx")
    it.send()
    assert it.value("dropped_total") == 3  # those before are kept until they were compared
    for shadow in it.sent:
        shadow.end(200, True)
    await until(lambda: sum(it.all_counted("comparisons").values()) == 3)
    await asyncio.sleep(0.01)  # until the last task has ended
    model.script = [answer(200, SAID)]
    it.send()
    await it.counted("requests_total", 4, status="2xx")
    assert it.value("dropped_total") == 3
    assert len(model.seen) == 4


async def test_several_shadows_of_one_request(start: Start, model: FakeModel) -> None:
    model.script = [answer(200, OTHER)]
    async with FakeModel([answer(200, SAID)]).running() as second:
        it = await start(model, second)
        shadow = it.send()
        shadow.feed(SAID)
        shadow.end(200, True)
        await it.counted("comparisons_total", result="different")
        await it.counted("comparisons_total", model="shadow2", result="same")
    assert [json.loads(each.seen[0].body)["model"] for each in (model, second)] == ["shadow", "shadow2"]


async def test_the_end_of_the_gateway_ends_copies(start: Start, model: FakeModel) -> None:
    model.script = [answer(200, SAID), hang]
    it = await start(model)
    it.send()
    await it.counted("requests_total", status="2xx")  # waits for its caller's answer
    it.send()
    await until(lambda: len(model.seen) == 2)
    await it.shadows.close()
    assert it.all_counted("requests") == {"2xx": 1, "cancelled": 1}
    assert it.all_counted("comparisons") == {}
    await asyncio.wait_for(model.cancelled.wait(), 10)


async def test_a_failure_in_the_gateway_itself_is_told_in_the_log(
    start: Start, model: FakeModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    it = await start(model)

    async def broken(*args: Any, **more: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Upstream, "attempt", broken)
    shadow = it.send()
    await it.counted("requests_total", status="failed")
    shadow.end(200, True)
    await it.counted("comparisons_total", result="shadow_failed")
    assert "copy id-1-shadow to shadow failed in the gateway" in caplog.text


async def test_all_series_are_there_from_the_start(start: Start, model: FakeModel) -> None:
    it = await start(model)
    for status in ("2xx", "4xx", "5xx", "failed", "broken", "cancelled"):
        assert it.value("requests_total", status=status) == 0
    for result in ("same", "different", "primary_failed", "shadow_failed", "too_long"):
        assert it.value("comparisons_total", result=result) == 0
    for name in (
        "dropped_total",
        "completion_tokens_total",
        "duration_seconds_count",
        "time_to_first_byte_seconds_count",
    ):
        assert it.value(name) == 0
