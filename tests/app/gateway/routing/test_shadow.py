import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.access.caller import ANYBODY
from serve_app.gateway.apis.body import Body
from serve_app.gateway.apis.table import APIS
from serve_app.gateway.ask import Ask
from serve_app.gateway.exchange import Exchange
from serve_app.gateway.routing.catalog import Catalog
from serve_app.gateway.routing.metrics import RoutingMetrics
from serve_app.gateway.routing.shadow import Shadow, Shadows
from serve_app.gateway.upstream.attempt import Upstream
from serve_app.gateway.upstream.credentials import Credentials
from serve_app.settings.gateway import GatewayConfig

from ..support import CHAT, FakeModel, answer, ask, reset, stream, until

SAID = (
    b'{"id": "9", "choices": [{"message": {"content": "hi"}}], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}'
)
OTHER = SAID.replace(b"hi", b"ho")
EVENTS = (
    b'data: {"choices": [{"index": 0, "delta": {"content": "h"}}]}\n\n',
    b'data: {"choices": [{"index": 0, "delta": {"content": "i"}}]}\n\n',
    b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\ndata: [DONE]\n\n',
)


async def hang(request: Any) -> Any:
    await asyncio.sleep(3600)


@dataclass
class Shadowed:
    """Shadows in front of real servers; the caller's own answers are told by the tests."""

    shadows: Shadows
    config: GatewayConfig
    registry: CollectorRegistry
    sent: list[Shadow] = field(default_factory=list)

    def send(self, payload: dict[str, Any] | None = None, changed: bool = False, **headers: str) -> Shadow:
        payload = payload or ask("r")
        body = Body(json.dumps(payload).encode(), payload, model="r", stream=bool(payload.get("stream")))
        names = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        plan = Catalog(self.config, 0).resolve("r", APIS[CHAT], ANYBODY, names, "")
        request = Ask("POST", CHAT, "", names, body, changed, "openai")
        exchange = Exchange(nowhere, request_id=b"id-1")
        self.sent.append(self.shadows.send(plan, request, exchange))
        return self.sent[-1]

    def value(self, name: str, model: str = "shadow", **labels: str) -> float | None:
        labels |= {"route": "r", "model": model}
        return self.registry.get_sample_value(f"ray_vllm_gateway_shadow_{name}", labels)

    async def counted(self, name: str, count: float = 1, **labels: str) -> None:
        await until(lambda: self.value(name, **labels) == count)

    def all_counted(self, name: str) -> dict[str, float]:
        """What is above 0: the last label's value -> count."""
        full = f"ray_vllm_gateway_shadow_{name}_total"
        samples = [sample for family in self.registry.collect() for sample in family.samples if sample.name == full]
        return {list(sample.labels.values())[-1]: sample.value for sample in samples if sample.value}


async def nowhere(message: Any) -> None:
    raise AssertionError("nothing is sent to the caller")


Start = Callable[..., Any]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts shadows of models at these URLs; what is left of them is cancelled and must not hang."""
    async with AsyncExitStack() as stack:

        async def started(*models: FakeModel | str, most: int = 32, key_file: str = "", **timeouts: float) -> Shadowed:
            urls = [model if isinstance(model, str) else model.url for model in models]
            names = ["shadow", *(f"shadow{number}" for number in range(2, len(urls) + 1))]
            entries = {name: {"url": url, "apiKeyFile": key_file} for name, url in zip(names, urls, strict=True)}
            config = GatewayConfig.model_validate(
                {
                    "models": {"a": {"url": "http://127.0.0.1:1"}} | entries,
                    "routes": {"r": {"backends": {"a": {}}, "shadow": {name: {"percent": 100} for name in names}}},
                    "shadows": {"maxConcurrent": most},
                    "timeouts": {"connectSeconds": 2, "firstByteSeconds": 5, "idleSeconds": 5} | timeouts,
                }
            )
            registry = CollectorRegistry()
            metrics = RoutingMetrics(registry)
            metrics.declare(Catalog(config, 0).plans())
            upstream = await stack.enter_async_context(Upstream.connected())
            shadows = Shadows(upstream, Credentials(), lambda: config, metrics)
            stack.push_async_callback(shadows.close)
            return Shadowed(shadows, config, registry)

        async with asyncio.timeout(30):
            yield started


async def test_a_copy_goes_to_its_model_under_its_name(start: Start, model: FakeModel) -> None:
    model.script = [answer(200, SAID)]
    it = await start(model)
    shadow = it.send(ask("r", temperature=0), accept="*/*", authorization="Bearer secret", x_mine="1")
    await until(lambda: len(model.seen) == 1)
    assert json.loads(model.seen[0].body) == ask("shadow", temperature=0)
    assert model.seen[0].path == "/models/a" + CHAT
    headers = model.seen[0].headers
    assert (headers["x-request-id"], headers["x-mine"]) == ("id-1-shadow", "1")
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
    it.send(authorization="Bearer secret", x_mine="1")
    await until(lambda: len(model.seen) == 1)
    assert model.seen[0].headers["authorization"] == "Bearer sk-provider"
    assert "x-mine" not in model.seen[0].headers


async def test_a_stream(start: Start, model: FakeModel) -> None:
    model.script = [stream(*EVENTS)]
    it = await start(model)
    shadow = it.send(ask("r", stream=True), changed=True)
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


async def test_a_body_that_cannot_be_written_again(start: Start, model: FakeModel) -> None:
    nested: Any = []
    for _ in range(300):
        nested = [nested]
    it = await start(model)
    it.send(ask("r", nested=nested)).end(400, True)
    await it.counted("requests_total", status="failed")
    assert model.seen == []


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
