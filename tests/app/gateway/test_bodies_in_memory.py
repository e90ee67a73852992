"""For how long the bytes of bodies are held and counted, and what a client is told before they have come."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from .support import CHAT, KEY, FakeModel, Gateway, answer, ask, config_for, running_gateway, stream, until

LIMITS = {"maxBodyBytes": 1_000_000, "maxFormBytes": 1_000_000, "maxBufferedBytes": 1_000_000}


def body(size: int, **more: Any) -> bytes:
    content = json.dumps(ask(**more) | {"x": ""}).encode()
    return content[:-2] + b"x" * (size - len(content)) + content[-2:]


async def test_a_body_is_held_until_its_answer_begins(model: FakeModel, tmp_path: Path) -> None:
    gate = asyncio.Event()
    model.script = [stream(b"", b"1", b"2", gate=gate)]
    async with running_gateway(tmp_path, config_for(model.url, limits=LIMITS)) as gateway:
        waiting = asyncio.create_task(gateway.post(body(700_000)).__aenter__())
        await until(lambda: bool(model.seen))
        assert gateway.value("buffered_body_bytes") == 700_000
        async with gateway.post(body(600_000)) as refused:
            assert refused.status == 503
        gate.set()
        async with await waiting as response:
            assert response.status == 200
            assert gateway.value("buffered_body_bytes") == 0


@pytest.mark.parametrize(("size", "copies"), [(400_000, 1), (600_000, 0)], ids=["room", "scarce"])
async def test_a_shadow_holds_the_body_too_or_is_left_out(
    model: FakeModel, tmp_path: Path, size: int, copies: int
) -> None:
    gate = asyncio.Event()
    async with FakeModel([stream(b"", b"1", gate=gate)]).running() as shadow:
        config = config_for(model.url, limits=LIMITS)
        config["models"]["s"] = {"url": shadow.url}
        config["routes"]["chat"]["shadow"] = {"s": {"percent": 100}}
        async with running_gateway(tmp_path, config) as gateway:
            async with gateway.post(body(size, model="chat")) as response:
                assert response.status == 200
            await until(lambda: len(shadow.seen) == copies)
            assert gateway.value("buffered_body_bytes") == size * copies
            assert gateway.value("shadow_dropped_total", route="chat", model="s") == 1 - copies
            gate.set()
            await until(lambda: gateway.value("buffered_body_bytes") == 0)


async def test_a_route_sends_its_model_once(model: FakeModel, tmp_path: Path) -> None:
    model.script = [answer(), answer()]
    async with running_gateway(tmp_path, config_for(model.url, limits=LIMITS)) as gateway:
        for size in (200, 900_000):
            async with gateway.post(body(size, model="chat")) as response:
                assert response.status == 200
    assert [seen.body.count(b'"model":') for seen in model.seen] == [1, 1]


@pytest.mark.parametrize(
    ("path", "key", "length", "status"),
    [(CHAT, "wrong", 900, 401), ("/v1/nowhere", KEY, 900, 404), (CHAT, KEY, 1 << 30, 413)],
)
async def test_what_is_refused_is_refused_before_its_body_comes(
    gateway: Gateway, path: str, key: str, length: int, status: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(gateway.url).port)
    lines = f"POST {path} HTTP/1.1", "host: a", f"authorization: Bearer {key}", "content-type: application/json"
    writer.write("\r\n".join((*lines, f"content-length: {length}", "", "")).encode())
    async with asyncio.timeout(2):
        head = await reader.readuntil(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert b"\r\nconnection: close\r\n" in head
    writer.close()
