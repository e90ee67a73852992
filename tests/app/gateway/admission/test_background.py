"""Work that nobody waits for: a share of a model's slots while others ask, and all of them when it is quiet."""

import asyncio

import pytest

from serve_app.gateway.admission import background
from serve_app.settings.gateway import Queue

from .test_queue import Room


async def test_work_that_nobody_waits_for_comes_last_and_has_a_share() -> None:
    room = Room(slots=4, limits=Queue(maxRequests=20, maxSeconds=30, backgroundPercent=25))
    for number in range(6):
        await room.ask("a", "low", name=f"line-{number}", work="batch")
    assert len(room.order) == 4, "nobody else asks, so it has all slots"
    await room.ask("b", "low", name="somebody")
    room.queue.leave("a", background=True)
    await asyncio.sleep(0.01)
    assert room.order[4:] == ["somebody"]
    for _ in range(3):
        room.queue.leave("a", background=True)
    await asyncio.sleep(0.01)
    assert room.order[5:] == ["line-4"], "one of four slots, while somebody asks"
    await room.ask("c", name="another")
    assert room.order[6:] == ["another"], "which finds a slot at once"


async def test_work_that_nobody_waits_for_goes_on_once_it_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "QUIET_SECONDS", 0.2)
    room = Room(slots=4, limits=Queue(maxRequests=20, maxSeconds=30, backgroundPercent=25))
    await room.ask("b", name="somebody")
    for number in range(6):
        await room.ask("a", name=f"line-{number}", work="ingest")
    await room.serve("b")
    assert room.order == ["somebody", "line-0"]
    await asyncio.sleep(0.3)
    assert room.order[2:] == ["line-1", "line-2", "line-3"]
