import asyncio
from itertools import count

import pytest
from prometheus_client import CollectorRegistry

from serve_app.gateway.background import supervisor as module
from serve_app.gateway.background.supervisor import Supervisor

from ..support import until


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> CollectorRegistry:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.01)
    return CollectorRegistry()


def failures(registry: CollectorRegistry, task: str) -> float | None:
    return registry.get_sample_value("ray_vllm_gateway_background_failures_total", {"task": task})


async def test_work_that_fails_or_ends_is_begun_again_and_counted(registry: CollectorRegistry) -> None:
    runs = count()

    async def work() -> None:
        if next(runs) % 2:
            raise ValueError("broken")

    async with Supervisor.running(registry) as supervisor:
        supervisor.run_forever("probe", work)
        assert failures(registry, "probe") == 0
        await until(lambda: (failures(registry, "probe") or 0) >= 3)


async def test_what_is_running_ends_with_it(registry: CollectorRegistry) -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async with Supervisor.running(registry) as supervisor:
        supervisor.run_forever("probe", work)
        supervisor.spawn("copy", work())
        await asyncio.sleep(0.01)
    assert ended == [True, True]


async def test_no_more_than_so_many_at_a_time(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SPAWNED", 2)
    gate = asyncio.Event()
    done = []

    async def work() -> None:
        await gate.wait()
        done.append(True)

    async with Supervisor.running(registry) as supervisor:
        for _ in range(5):
            supervisor.spawn("copy", work())
        assert failures(registry, "copy") == 3
        gate.set()
        await until(lambda: len(done) == 2)
        supervisor.spawn("copy", work())
        await until(lambda: len(done) == 3)
