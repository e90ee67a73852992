"""Routes as clients meet them: several models behind one running gateway."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..support import CHAT, FakeModel, Gateway, answer, ask, config_for, running_gateway, stream, until


class Fleet:
    """Models a, b, c; each answers with its own name."""

    def __init__(self) -> None:
        self.models = {name: FakeModel([answer(body=self.says(name))]) for name in "abc"}
        self.stack = AsyncExitStack()

    @staticmethod
    def says(name: str) -> bytes:
        return json.dumps({"choices": [{"message": {"content": name}}]}).encode()

    def config(self, route: dict[str, Any], **more: Any) -> dict[str, Any]:
        entries: dict[str, dict[str, Any]] = {name: {"url": model.url} for name, model in self.models.items()}
        entries["a"] |= {"adapters": ["a-sql"]}
        entries["b"] |= {"private": True}
        entries["c"] |= {"upstreamModel": "gpt-c"}
        return config_for("") | {"models": entries, "routes": {"r": route}} | more

    async def gateway(self, folder: Path, route: dict[str, Any], **more: Any) -> Gateway:
        for model in self.models.values():
            await self.stack.enter_async_context(model.running())
        return await self.stack.enter_async_context(running_gateway(folder, self.config(route, **more)))

    def __getitem__(self, name: str) -> FakeModel:
        return self.models[name]


@pytest.fixture
async def fleet() -> Any:
    fleet = Fleet()
    async with fleet.stack:
        yield fleet


async def said(
    gateway: Gateway, name: str = "r", *, headers: dict[str, str] | None = None, **more: Any
) -> tuple[int, str]:
    async with gateway.post(ask(name, **more), headers=headers) as response:
        content = await response.json(content_type=None)
        if response.status == 200:
            return 200, content["choices"][0]["message"]["content"]
        return response.status, content["error"]["code"]


async def test_names_on_the_way_to_a_model(fleet: Fleet, tmp_path: Path) -> None:
    gateway = await fleet.gateway(tmp_path, {"backends": {"b": {}}})
    assert await said(gateway, "r") == (200, "b")
    assert await said(gateway, "a-sql") == (200, "a")
    assert await said(gateway, "c") == (200, "c")
    assert await said(gateway, "b") == (404, "model_not_found")  # private
    assert [json.loads(fleet[name].seen[0].body)["model"] for name in "bac"] == ["b", "a-sql", "gpt-c"]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_fallback_answers_in_place_of_a_busy_model(fleet: Fleet, tmp_path: Path, status: int) -> None:
    fleet["a"].script = [answer(status, b"later")]
    route = {"backends": {"a": {}}, "fallback": {"b": {"order": 1}, "c": {"order": 2}}}
    gateway = await fleet.gateway(tmp_path, route, retry={"windowSeconds": 0})
    assert await said(gateway) == (200, "b")
    reason = {429: "rate_limited", 503: "model_unavailable"}[status]
    assert gateway.value("fallbacks_total", route="r", model="a", to="b", reason=reason) == 1
    assert gateway.value("fallbacks_total", route="r", model="b", to="c", reason=reason) == 0
    assert gateway.value("route_choices_total", route="r", model="a") == 1
    assert fleet["c"].seen == []


async def test_sticky_clients_stay_where_they_are_while_a_canary_grows(fleet: Fleet, tmp_path: Path) -> None:
    def route(weight: int) -> dict[str, Any]:
        return {"backends": {"a": {"weight": 100 - weight}, "c": {"weight": weight}}, "sticky": {"by": "user"}}

    gateway = await fleet.gateway(tmp_path, route(10))
    users = [f"user-{number}" for number in range(200)]

    async def places() -> dict[str, str]:
        answers = await asyncio.gather(*(said(gateway, user=user) for user in users))
        assert {status for status, _ in answers} == {200}
        return dict(zip(users, [model for _, model in answers], strict=True))

    before = await places()
    gateway.config.write_text(yaml.safe_dump(fleet.config(route(30))))
    await until(lambda: gateway.value("config_reloads_total", source="config", result="ok") == 1)
    after = await places()
    assert {(before[user], after[user]) for user in users} == {("a", "a"), ("a", "c"), ("c", "c")}  # none goes back
    for counts, share in ((Counter(before.values()), 0.1), (Counter(after.values()), 0.3)):
        assert abs(counts["c"] - 200 * share) < 4 * (200 * share * (1 - share)) ** 0.5


async def test_a_shadow_never_delays_or_fails_a_caller(fleet: Fleet, tmp_path: Path) -> None:
    gate = asyncio.Event()
    fleet["b"].script = [stream(b"held", b"", gate=gate)]
    route = {"backends": {"a": {}}, "shadow": {"b": {"percent": 100}, "c": {"percent": 100}}}
    gateway = await fleet.gateway(tmp_path, route, shadows={"maxConcurrent": 4})

    def value(name: str, model: str, **labels: str) -> float | None:
        return gateway.value(f"shadow_{name}_total", route="r", model=model, **labels)

    def compared(times: int) -> bool:
        return value("comparisons", "c", result="shadow_failed") == times

    fleet["c"].script = [answer(500, b"lost")]
    for number in range(3):
        assert await asyncio.wait_for(said(gateway), 5) == (200, "a")  # b holds its answers back
        await until(partial(compared, number + 1))
    for _ in range(3):
        assert await said(gateway) == (200, "a")
    assert [value("dropped", model) for model in "bc"] == [2, 3]  # one more of b had a place
    gate.set()
    await until(lambda: value("requests", "b", status="2xx") == 4)
    assert json.loads(fleet["b"].seen[0].body) == ask("b")
    assert gateway.value("requests_total", model="b", route="r", api="chat_completions", status="2xx") is None


async def test_a_stream_and_its_shadow(fleet: Fleet, tmp_path: Path) -> None:
    one, two, both = (b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % word for word in (b"h", b"i", b"hi"))
    fleet["a"].script = [stream(one, two)]
    fleet["b"].script = [stream(both)]
    gateway = await fleet.gateway(tmp_path, {"backends": {"a": {}}, "shadow": {"b": {"percent": 100}}})
    async with gateway.post(ask("r", stream=True)) as response:
        assert await response.read() == one + two
    await until(lambda: gateway.value("shadow_comparisons_total", route="r", model="b", result="same") == 1)
    assert [model.seen[0].path for model in (fleet["a"], fleet["b"])] == ["/models/a" + CHAT] * 2


async def test_a_client_that_leaves_ends_its_shadow_too(fleet: Fleet, tmp_path: Path) -> None:
    for name in "ab":
        fleet[name].script = [stream(b"data: {}\n\n", b"", gate=asyncio.Event())]
    gateway = await fleet.gateway(tmp_path, {"backends": {"a": {}}, "shadow": {"b": {"percent": 100}}})
    response = await gateway.post(ask("r", stream=True))
    await response.content.readany()
    await until(lambda: len(fleet["b"].seen) == 1)
    response.close()
    await asyncio.wait_for(fleet["b"].cancelled.wait(), 10)
    await until(lambda: gateway.value("shadow_requests_total", route="r", model="b", status="cancelled") == 1)
