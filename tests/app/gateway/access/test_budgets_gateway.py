"""Budgets through running gateways: alone, and three that share a Redis."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ..support import FakeModel, Gateway, Handler, answer, ask, config_for, error_of, running_gateway, stream, until
from .limit_support import RealServer, eventually, needs_a_server

OUTPUT = 400
PRICE = {"promptPerMillion": 0, "completionPerMillion": 2500}
"""400 tokens of an answer cost 1.0."""
POLICIES = [{"tokensPerMinute": 1000}, {"monthlyTokens": 1000}, {"monthlyCost": 2.5}]
FIT = 3
"""Two of 400 and their prompts leave something, the third passes the limit."""


def usage(prompt: int, completion: int) -> Handler:
    return answer(body=json.dumps({"usage": {"prompt_tokens": prompt, "completion_tokens": completion}}))


def held(gate: asyncio.Event) -> Handler:
    """Answers all at once, with as many tokens as were allowed."""
    inner = usage(10, OUTPUT)

    async def handle(request: web.Request) -> web.StreamResponse:
        await gate.wait()
        return await inner(request)

    return handle


def config(model: FakeModel, **more: Any) -> dict[str, Any]:
    return config_for(model.url, **more) | {"models": {"a": {"url": model.url, "price": PRICE}}, "routes": {}}


async def shown(gateway: Gateway, limit: str) -> dict[str, Any]:
    async with gateway.get("/v1/limits") as response:
        return dict((await response.json())["limits"][0][limit])


async def statuses(gateways: list[Gateway], model: FakeModel, count: int) -> list[int]:
    """Of many requests at once; the model answers when all others were refused."""
    gate = asyncio.Event()
    model.script = [held(gate)]
    done: list[int] = []

    async def one(gateway: Gateway) -> None:
        async with gateway.post(ask(max_tokens=OUTPUT)) as response:
            await response.read()
            done.append(response.status)

    async with asyncio.TaskGroup() as requests:
        for number in range(count):
            requests.create_task(one(gateways[number % len(gateways)]))
        await until(lambda: len(done) >= count - FIT)
        gate.set()
    return done


@pytest.mark.parametrize("count", [20, 100])
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: next(iter(policy)))
async def test_many_at_once(model: FakeModel, tmp_path: Path, policy: dict[str, float], count: int) -> None:
    async with running_gateway(tmp_path, config(model), policy=policy) as gateway:
        done = await statuses([gateway], model, count)
        assert sorted(done) == [200] * FIT + [429] * (count - FIT)
        async with gateway.post(ask(max_tokens=1)) as response:
            error = await error_of(response)
            assert response.status == 429
            assert error["code"] == ("rate_limit_exceeded" if "tokensPerMinute" in policy else "insufficient_quota")


@needs_a_server
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: next(iter(policy)))
async def test_many_at_once_at_three_gateways(model: FakeModel, tmp_path: Path, policy: dict[str, float]) -> None:
    async with three(model, tmp_path, policy) as gateways:
        done = await statuses(gateways, model, 60)
        assert sorted(done) == [200] * FIT + [429] * (60 - FIT)


@contextlib.asynccontextmanager
async def three(model: FakeModel, folder: Path, policy: dict[str, float]) -> AsyncIterator[list[Gateway]]:
    server = RealServer(folder)
    await server.start()
    shared = config(model, redis={"url": f"redis://127.0.0.1:{server.port}/0", "timeoutSeconds": 5})
    async with contextlib.AsyncExitStack() as stack:
        gateways = []
        for name in ("one", "two", "three"):
            (folder / name).mkdir()
            gateways.append(await stack.enter_async_context(running_gateway(folder / name, shared, policy=policy)))
        yield gateways
    await server.stop()


async def test_a_request_is_charged_what_it_took(model: FakeModel, tmp_path: Path) -> None:
    model.script = [usage(30, 40)]
    async with running_gateway(tmp_path, config(model), policy={"monthlyCost": 2.5, "monthlyTokens": 1000}) as gateway:
        async with gateway.post(ask(max_tokens=OUTPUT)) as response:
            assert response.status == 200
        assert (await shown(gateway, "monthly_cost"))["used"] == 0.1
        assert (await shown(gateway, "monthly_tokens"))["used"] == 70
        assert (await shown(gateway, "monthly_tokens"))["reserved"] == 0


async def test_a_request_without_a_maximum_reserves_the_default(model: FakeModel, tmp_path: Path) -> None:
    gate = asyncio.Event()
    model.script = [held(gate)]
    settings = config(model, metering={"defaultOutputTokens": 123})
    async with running_gateway(tmp_path, settings, policy={"monthlyTokens": 1000}) as gateway:
        request = asyncio.create_task(gateway.post(ask()).__aenter__())
        await until(lambda: bool(model.seen))
        body = len(model.seen[0].body)
        assert (await shown(gateway, "monthly_tokens"))["reserved"] == 123 + -(-body // 4)
        gate.set()
        await (await request).read()


@pytest.mark.parametrize("streamed", [True, False])
async def test_what_a_client_leaves_is_charged_for_its_prompt(model: FakeModel, tmp_path: Path, streamed: bool) -> None:
    never = asyncio.Event()
    model.script = [stream(b'data: {"n": 1}\n\n', b"late", gate=never) if streamed else held(never)]
    padding = "x" * 2000
    async with running_gateway(tmp_path, config(model), policy={"monthlyTokens": 10_000}) as gateway:
        request = asyncio.create_task(gateway.post(ask(stream=streamed, padding=padding)).__aenter__())
        await until(lambda: bool(model.seen))
        if streamed:
            response = await request
            await response.content.readany()
            response.close()
        else:
            request.cancel()

        async def settled() -> bool:
            return bool((await shown(gateway, "monthly_tokens"))["reserved"] == 0)

        await eventually(settled)
        assert (await shown(gateway, "monthly_tokens"))["used"] >= 500 + streamed


async def test_a_request_that_no_model_answers_costs_nothing(model: FakeModel, tmp_path: Path) -> None:
    model.script = [answer(400, '{"error": {"message": "no"}}')]
    async with running_gateway(tmp_path, config(model), policy={"monthlyTokens": 1000}) as gateway:
        async with gateway.post(ask(padding="x" * 2000)) as response:
            assert response.status == 400
        limits = await shown(gateway, "monthly_tokens")
        assert (limits["used"], limits["reserved"]) == (0, 0)


async def test_when_a_key_expires_is_shown(model: FakeModel, tmp_path: Path) -> None:
    policy = {"expires": "2999-01-31"}
    async with (
        running_gateway(tmp_path, config(model), policy=policy) as gateway,
        gateway.get("/v1/limits") as response,
    ):
        assert (await response.json())["expires"] == "2999-01-31T00:00:00Z"
