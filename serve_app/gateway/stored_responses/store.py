"""What replicas of the gateway share about stored responses, in Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from serve_app.settings.gateway import Redis as Settings

_PREFIX = "ray-vllm-gateway:"


class ResponseStore:
    """See `responses.Store`."""

    def __init__(self, redis: Redis, timeout_seconds: float) -> None:
        self._redis = redis
        self._timeout_seconds = timeout_seconds

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings | None, password: str | None) -> AsyncIterator["ResponseStore | None"]:
        """The store of a gateway; None where there is no Redis.

        Args:
            settings: Where Redis is.
            password: Redis's password, if it has one.
        """
        if settings is None:
            yield None
            return
        redis = Redis.from_url(settings.url, password=password, socket_connect_timeout=settings.timeout_seconds)
        try:
            yield cls(redis, settings.timeout_seconds)
        finally:
            await redis.aclose()

    async def get(self, key: str) -> bytes | None:
        """What was set, if it is still there."""
        async with asyncio.timeout(self._timeout_seconds):
            value = await self._redis.get(_PREFIX + key)
            return value if isinstance(value, bytes) else None

    async def set(self, key: str, value: bytes, seconds: int) -> bool:
        """Keeps a value for a while, unless there is one already; tells whether there was none."""
        async with asyncio.timeout(self._timeout_seconds):
            return bool(await self._redis.set(_PREFIX + key, value, ex=seconds, nx=True))
