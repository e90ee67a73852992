"""Bounded background load on the gateway: streamed chat completions at a steady rate, every failure kept."""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.cluster.figures import note


@dataclass
class Outcome:
    """What became of one model's requests; `failed` holds one line each with the second it began at."""

    sent: int = 0
    answered: int = 0
    failed: list[str] = field(default_factory=list)
    slowest_first_token: float = 0.0


class Load:
    """`with Load("what", url, key, {"sparrow": 2.0}) as load:` sends so many requests/s until the block ends."""

    def __init__(
        self,
        title: str,
        url: str,
        api_key: str,
        rates: dict[str, float],
        max_seconds: float = 900,
        max_retries: int = 0,
        tokens: int | None = None,
    ) -> None:
        """Rates in requests per second by model; nothing is sent after `max_seconds`; retries are the client's own.

        Answers have at most 8 tokens, or just so many.
        """
        self._max_retries = max_retries
        self._length: dict[str, Any] = {"max_tokens": 8}
        if tokens:
            self._length = {"max_tokens": tokens, "extra_body": {"ignore_eos": True}}
        self.outcomes = {model: Outcome() for model in rates}
        self._title, self._rates, self._url, self._key, self._limit = title, rates, url, api_key, max_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        """Start, and return once each model has answered a request."""
        self._begin = time.monotonic()
        self._thread.start()
        while not all(outcome.answered for outcome in self.outcomes.values()) and time.monotonic() - self._begin < 60:
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop sending, and wait until every request has ended."""
        self._stop.set()
        self._thread.join()
        for model, outcome in self.outcomes.items():
            note(
                f"{self._title}: {model}: {len(outcome.failed)} of {outcome.sent} requests failed, slowest first token "
                f"{outcome.slowest_first_token:.1f} s {outcome.failed[:5] or ''}"
            )

    async def _run(self) -> None:
        async with (
            AsyncOpenAI(
                base_url=f"{self._url}/v1", api_key=self._key, max_retries=self._max_retries, timeout=600
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            for model, rate in self._rates.items():
                group.create_task(self._pace(client, model, 1 / rate))

    async def _pace(self, client: AsyncOpenAI, model: str, interval: float) -> None:
        async with asyncio.TaskGroup() as group:
            while not self._stop.is_set() and time.monotonic() - self._begin < self._limit:
                group.create_task(self._ask(client, model, self.outcomes[model]))
                await asyncio.sleep(interval)

    async def _ask(self, client: AsyncOpenAI, model: str, outcome: Outcome) -> None:
        outcome.sent += 1
        began = time.monotonic()
        finished = False
        try:
            messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is ray-vllm-stack?"}]
            async for chunk in await client.chat.completions.create(
                model=model, messages=messages, stream=True, **self._length
            ):
                outcome.slowest_first_token = max(
                    outcome.slowest_first_token, 0 if finished else time.monotonic() - began
                )
                finished = finished or bool(chunk.choices and chunk.choices[0].finish_reason)
            if not finished:
                raise ConnectionError("the stream ended before a finish_reason")
            outcome.answered += 1
        except Exception as error:  # every kind of failure counts, and is shown
            outcome.failed.append(f"{began - self._begin:.1f} s: {type(error).__name__}: {str(error)[:200]}")
