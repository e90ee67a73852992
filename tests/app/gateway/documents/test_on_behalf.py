"""The components of the stack ask on behalf of others, and for nobody who may not ask any more."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ..support import KEY, FakeModel, Gateway, answer, key_entry, until
from .conftest import COMPONENT, EMBEDDINGS, PIPELINES

Asking = Callable[..., Awaitable[tuple[int, Any]]]
REFERENCE = hashlib.sha256(KEY.encode()).hexdigest()[:32]


@pytest.fixture
def ask(gateway: Gateway, model: FakeModel) -> Asking:
    """Asks for embeddings as a component does; returns the status and the body."""

    async def asked(token: str, name: str, **headers: str) -> tuple[int, Any]:
        model.script = [answer(200, b'{"data":[],"usage":{"prompt_tokens":7,"total_tokens":7}}')]
        names = {f"x-gateway-{key.replace('_', '-')}": value for key, value in headers.items()}
        body = {"model": name, "input": "x"}
        async with gateway.post(body, path=EMBEDDINGS, headers={"authorization": f"Bearer {token}"} | names) as got:
            return got.status, await got.json()

    return asked


async def test_the_component_asks_on_behalf_of_a_key(gateway: Gateway, model: FakeModel, ask: Asking) -> None:
    async with gateway.get("/v1/files") as got:
        assert got.status == 201
    caller = {"team": "search", "key": "default", "key_id": REFERENCE}
    assert (await ask(COMPONENT, "a", **caller))[0] == 200
    line = await ended_as(gateway, 2)
    assert (line["team"], line["key"], line["work"], line["prompt_tokens"]) == ("search", "default", "", 7)
    assert "x-vllm-priority" not in model.seen[-1].headers
    assert (await ask(COMPONENT, "a", **caller, work="batch"))[0] == 200
    assert model.seen[-1].headers["x-vllm-priority"] == "100"
    assert (await ended_as(gateway, 3))["work"] == "batch"


async def test_the_component_says_which_text_of_a_key_a_request_has(gateway: Gateway, component: FakeModel) -> None:
    async with gateway.get("/v1/files") as got:
        assert got.status == 201
    assert component.seen[0].headers["x-gateway-key-id"] == REFERENCE


@pytest.mark.parametrize(
    "caller",
    [
        {},
        {"team": "search"},
        {"team": "search", "key": "gone", "key_id": REFERENCE},
        {"team": "search", "key": "default"},
        {"team": "search", "key": "default", "key_id": "0" * 32},
        {"team": "search", "key": "oidc", "subject": "ann"},
    ],
)
async def test_it_asks_for_nobody_who_may_not_ask(ask: Asking, model: FakeModel, caller: dict[str, str]) -> None:
    status, body = await ask(COMPONENT, "a", **caller, work="batch")
    assert (status, body["error"]["code"]) == (403, "key_revoked")
    assert "Begin it again with another" in body["error"]["message"]
    assert model.seen == []


async def test_a_key_that_is_revoked_or_limited_meanwhile_ends_its_work(gateway: Gateway, ask: Asking) -> None:
    caller = {"team": "search", "key": "default", "key_id": REFERENCE}
    assert (await ask(COMPONENT, "b", **caller))[0] == 200
    policy(gateway, models=["a"])
    await until_true(lambda: _status(ask(COMPONENT, "b", **caller), 403, 404))
    assert (await ask(COMPONENT, "a", **caller))[0] == 200
    policy(gateway, expires="2020-01-01")
    await until_true(lambda: _code(ask(COMPONENT, "a", **caller), "key_expired"))
    (gateway.keys / "default").unlink()
    await until_true(lambda: _code(ask(COMPONENT, "a", **caller), "key_revoked"))


async def ended_as(gateway: Gateway, number: int) -> dict[str, Any]:
    """The line of the last request, once there are this many."""
    await until(lambda: gateway.stdout.getvalue().count(b"\n") >= number)
    return await gateway.log_line()


def policy(gateway: Gateway, **fields: Any) -> None:
    (gateway.keys / "default").write_text(key_entry(KEY, team="search", **fields))


async def _status(asked: Awaitable[tuple[int, Any]], *wanted: int) -> bool:
    return (await asked)[0] in wanted


async def _code(asked: Awaitable[tuple[int, Any]], code: str) -> bool:
    status, body = await asked
    return status == 403 and body["error"]["code"] == code


async def until_true(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what is asked for again and again."""
    for _ in range(200):
        if await condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it never became true")


async def test_pipelines_ask_for_themselves_only(gateway: Gateway, ask: Asking) -> None:
    assert (await ask(PIPELINES, "a", key="pipeline:docs", team="search", work="batch"))[0] == 200
    line = await gateway.log_line()
    assert (line["team"], line["key"], line["work"]) == ("", "pipeline:docs", "")
    assert (await ask(PIPELINES, "a", key="default", key_id=REFERENCE, team="search"))[0] == 200
    line = await ended_as(gateway, 2)
    assert (line["team"], line["key"]) == ("", "pipeline")
    async with gateway.get("/v1/files", headers={"authorization": f"Bearer {PIPELINES}"}) as got:
        assert got.status == 201, "as a caller without anything of its own"
