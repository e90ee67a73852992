import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ..support import CHAT, FakeModel, answer, ask, reset, stream, until
from .shadowed import EVENTS, OTHER, SAID, Start, hang


async def test_a_copy_goes_to_its_model_under_its_name(start: Start, model: FakeModel) -> None:
    model.script = [answer(200, SAID)]
    it = await start(model)
    shadow = it.send(ask("r", temperature=0), accept="*/*", authorization="Bearer secret", anthropic_version="1")
    await until(lambda: len(model.seen) == 1)
    assert json.loads(model.seen[0].body) == ask("shadow", temperature=0)
    assert model.seen[0].path == "/models/a" + CHAT
    headers = model.seen[0].headers
    assert (headers["x-request-id"], headers["anthropic-version"]) == ("id-1-shadow", "1")
    assert "authorization" not in headers
    await it.counted("requests_total", status="2xx")
    assert it.all_counted("comparisons") == {}  # the caller's answer is still to come
    shadow.feed(SAID)
    shadow.end(200, True)
    await it.counted("comparisons_total", result="same")
    assert it.all_counted("comparisons") == {"same": 1}
    assert it.value("completion_tokens_total") == 5
    assert it.value("duration_seconds_count") == it.value("time_to_first_byte_seconds_count") == 1


async def test_a_providers_shadow_gets_its_own_key(start: Start, model: FakeModel, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-provider\n")
    it = await start(model, key_file=str(tmp_path / "key"))
    it.send(authorization="Bearer secret", anthropic_version="1")
    await until(lambda: len(model.seen) == 1)
    assert model.seen[0].headers["authorization"] == "Bearer sk-provider"
    assert "x-mine" not in model.seen[0].headers


async def test_a_stream(start: Start, model: FakeModel) -> None:
    model.script = [stream(*EVENTS)]
    it = await start(model)
    shadow = it.send(ask("r", stream=True))
    for piece in (EVENTS[0] + EVENTS[1][:9], EVENTS[1][9:]):
        shadow.feed(piece)
    shadow.end(200, True)
    await it.counted("comparisons_total", result="same")
    assert it.value("completion_tokens_total") == 2


async def test_another_answer(start: Start, model: FakeModel) -> None:
    model.script = [answer(200, OTHER)]
    it = await start(model)
    shadow = it.send()
    shadow.feed(SAID)
    shadow.end(200, True)
    await it.counted("comparisons_total", result="different")


async def test_long_answers_are_compared_too(start: Start, model: FakeModel) -> None:
    text = SAID.replace(b"hi", b"hi" * 50_000)
    model.script = [answer(200, text)]
    it = await start(model)
    shadow = it.send()
    shadow.feed(text)
    shadow.end(200, True)
    await it.counted("comparisons_total", result="same")


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (answer(500, b"lost"), "5xx"),
        (answer(422, b"no"), "4xx"),
        (answer(503, b"later"), "failed"),
        (reset, "failed"),
        (stream(*EVENTS, broken=True), "broken"),
        (hang, "failed"),
        (stream(*EVENTS, gate=asyncio.Event()), "broken"),
    ],
    ids=["500", "422", "503", "reset", "broken", "no first byte", "stalled"],
)
async def test_a_shadow_that_fails(start: Start, model: FakeModel, script: Any, status: str) -> None:
    model.script = [script]
    it = await start(model, firstByteSeconds=0.2, idleSeconds=0.2)
    shadow = it.send()
    shadow.feed(SAID)
    shadow.end(200, True)
    await it.counted("comparisons_total", result="shadow_failed")
    assert it.all_counted("requests") == {status: 1}
    assert len(model.seen) == 1  # no retries
    assert it.value("duration_seconds_count") == 0


async def test_a_shadow_that_is_not_there(start: Start) -> None:
    it = await start("http://127.0.0.1:1")
    shadow = it.send()
    shadow.end(503, True)
    await it.counted("requests_total", status="failed")
    await it.counted("comparisons_total", result="same")  # neither could be reached
