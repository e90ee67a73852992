"""Callers with limits, replicas of the gateway that count them, and Redis servers that can be stopped and frozen."""

import asyncio
import calendar
import contextlib
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import fakeredis
import pytest
from fakeredis.aioredis import FakeAsyncRedisConnection
from prometheus_client import CollectorRegistry
from redis.asyncio import ConnectionPool, Redis

from serve_app.gateway.access.limit_metrics import LimitMetrics
from serve_app.gateway.access.limits import Grant, Limiter
from serve_app.gateway.access.redis_batches import BatchingRedis, connection_pool
from serve_app.gateway.access.redis_store import RedisStore
from serve_app.gateway.access.shared_store import SharedStore
from serve_app.gateway.access.store import ReplicaStore, Store
from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.background.supervisor import Supervisor
from serve_app.gateway.exchange.caller import Caller
from serve_app.settings.gateway import Policy

TIMEOUT = 1.0
REAL = shutil.which("valkey-server") or shutil.which("redis-server")

needs_a_server = pytest.mark.skipif(REAL is None, reason="neither valkey-server nor redis-server is on the PATH")


def policy(**limits: float) -> Policy:
    return Policy.model_validate({Policy.model_fields[name].alias: limit for name, limit in limits.items()})


def caller(*, key: Policy | None = None, team: Policy | None = None) -> Caller:
    policies = {"key/ann": key, "team/red": team}
    return Caller(key="ann", team="red", policies=tuple((scope, each) for scope, each in policies.items() if each))


def headers_of(source: Grant | ApiError) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in source.headers}


class Clock:
    """The time that the limits see: a noon near the end of a month, until a test moves it."""

    def __init__(self) -> None:
        self.now = float(calendar.timegm((2026, 2, 27, 12, 0, 0)))

    def __call__(self) -> float:
        return self.now

    @classmethod
    def in_place(cls, monkeypatch: pytest.MonkeyPatch) -> "Clock":
        clock = cls()
        monkeypatch.setattr("time.time", clock)
        return clock


class Replica:
    """A gateway's limits, and what can be seen of them."""

    def __init__(self, store: Store, registry: CollectorRegistry, metrics: LimitMetrics) -> None:
        self.store = store
        self.registry = registry
        self.limiter = Limiter(store, metrics)
        self.enter = self.limiter.enter
        self.usage = self.limiter.usage

    @classmethod
    def alone(cls) -> "Replica":
        registry = CollectorRegistry()
        return cls(ReplicaStore(), registry, LimitMetrics(registry))

    async def refused(self, who: Caller) -> ApiError:
        with pytest.raises(ApiError) as error:
            await self.enter(who)
        assert error.value.status == 429
        return error.value

    async def standing(self, who: Caller, limit: str) -> dict[str, Any]:
        """What the admin route says about one of the limits, by the scope's kind."""
        usage = await self.usage(who)
        return {each["scope"]: each[limit] for each in usage["limits"] if limit in each}

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"ray_vllm_gateway_{name}", labels)


class FakeServer:
    """fakeredis, with its Lua."""

    def __init__(self) -> None:
        self._server = fakeredis.FakeServer(version=(7,))
        self._answers = asyncio.Event()
        self._answers.set()
        self.pipelines = 0

    def pool(self) -> ConnectionPool:
        fake = self

        class Connection(FakeAsyncRedisConnection):
            async def send_packed_command(self, *args: Any, **more: Any) -> Any:
                fake.pipelines += 1
                return await super().send_packed_command(*args, **more)

            async def read_response(self, *args: Any, **more: Any) -> Any:
                async with asyncio.timeout(TIMEOUT):
                    await fake._answers.wait()
                return await super().read_response(*args, **more)

        return ConnectionPool(connection_class=Connection, server=self._server)

    async def start(self) -> None:
        self._server.connected = True

    async def stop(self) -> None:
        self._server.connected = False

    def freeze(self) -> None:
        self._answers.clear()

    def thaw(self) -> None:
        self._answers.set()


class RealServer:
    """A process; what it holds is lost when it stops."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def pool(self) -> ConnectionPool:
        return connection_pool(f"redis://127.0.0.1:{self.port}/0", password=None, timeout_seconds=TIMEOUT)

    async def start(self, *arguments: str) -> None:
        command = [str(REAL), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL)  # noqa: ASYNC220
        async with asyncio.timeout(20):
            while await self._is_silent():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def _is_silent(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return True
        writer.close()
        return False

    async def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


Server = FakeServer | RealServer


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what comes true in the background, and has to be asked for."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def sharing(server: Server) -> AsyncIterator[Replica]:
    """A replica that shares its limits through a server."""
    registry = CollectorRegistry()
    metrics = LimitMetrics(registry)
    pool = server.pool()
    redis = RedisStore(BatchingRedis(pool))
    shared = SharedStore(redis, metrics, timeout_seconds=TIMEOUT, probe_seconds=0.02)
    async with Supervisor.running(registry) as supervisor, shared.tended(supervisor) as store:
        yield Replica(store, registry, metrics)
    await pool.aclose()


def client_of(server: Server) -> Any:
    """A client of the server's own, to look into it."""
    return Redis(connection_pool=server.pool())


async def running(replica: Replica, who: Caller) -> int:
    standing = await replica.standing(who, "concurrent_requests")
    return int(standing["key"]["running"])


async def until_running(replica: Replica, who: Caller, count: int) -> None:
    """Grants tell Redis in the background that they have ended."""

    async def it_is() -> bool:
        return await running(replica, who) == count

    await eventually(it_is)


async def until_used(replica: Replica, who: Caller, tokens: int) -> None:
    async def it_is() -> bool:
        return bool((await replica.standing(who, "monthly_tokens"))["team"]["used"] == tokens)

    await eventually(it_is)
