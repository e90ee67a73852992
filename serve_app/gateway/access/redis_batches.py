"""A Redis client that sends concurrent commands in one pipeline."""

import asyncio
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # noqa: A004

Command = tuple[tuple[Any, ...], dict[str, Any]]


class BatchingRedis(Redis):
    """Sends commands in pipelines over one connection, in the order in which they were given.

    While a pipeline is under way, further commands gather for the next one. So a request that needs ten commands waits
    for one round trip, many requests share it, and each command costs a fraction of what it costs by itself. Callers
    bound how long they wait; a command whose caller has gone before it was sent is not sent.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        super().__init__(connection_pool=pool)
        self._waiting: list[tuple[Command, asyncio.Future[Any]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Sends a command with the next pipeline, and returns or raises what Redis answers to it."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(((args, options), answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        batch: list[tuple[Command, asyncio.Future[Any]]] = []
        try:
            while self._waiting:
                batch, self._waiting = [each for each in self._waiting if not each[1].done()], []
                if batch:
                    for (_, answer), result in zip(batch, await self._results(batch), strict=True):
                        _resolve(answer, result)
        finally:
            self._sending = None
            for _, answer in batch:  # those of a pipeline that was cancelled
                answer.cancel()

    async def _results(self, batch: list[tuple[Command, asyncio.Future[Any]]]) -> list[Any]:
        pipeline = self.pipeline(transaction=False)
        for (args, options), _ in batch:
            pipeline.execute_command(*args, **options)
        try:
            return await pipeline.execute(raise_on_error=False)
        except Exception as error:  # whatever it is, all who wait have to learn it
            return [error] * len(batch)


def connection_pool(url: str, *, password: str | None, timeout_seconds: float) -> ConnectionPool:
    """Connections to a Redis.

    Args:
        url: `redis://HOST:PORT/DB` or `rediss://...`.
        password: Its password; None for none, or for the one in the URL.
        timeout_seconds: How long connecting, and each answer, may take.
    """
    options: dict[str, Any] = {"password": password} if password else {}
    return ConnectionPool.from_url(
        url,
        socket_connect_timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        # Once, for a connection that was closed meanwhile. What took too long is not sent again, it may have counted.
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        **options,
    )


def _resolve(answer: asyncio.Future[Any], result: object) -> None:
    if answer.done():  # its caller has gone
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
