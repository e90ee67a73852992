"""Load of many questions on few long texts, and what the engines' prefix caches made of it."""

import asyncio
import random
import statistics
import time
from dataclasses import dataclass

from openai import AsyncOpenAI

from tests.cluster.conftest import Serve
from tests.cluster.stack import Stack

WORDS = (
    "the and you that for are with his they this have from one had word but not what all were when your can said use "
    "each which she how their will other about out many then them these some her would make like him time has look two"
)
QUERIES, HITS = "ray_vllm_prefix_cache_queries_total", "ray_vllm_prefix_cache_hits_total"


def texts(count: int, words: int) -> list[str]:
    """So many different texts of so many words, one token each."""
    pick, words_of = random.Random(1), WORDS.split()  # noqa: S311
    return [" ".join(pick.choice(words_of) for _ in range(words)) for _ in range(count)]


@dataclass(frozen=True)
class Round:
    """What one round of load found."""

    per_second: float
    """Requests answered per second."""
    median_seconds: float
    hit_rate: float
    """The share of prompt tokens that came from a prefix cache."""

    def __str__(self) -> str:
        return (
            f"{self.per_second:5.2f} requests/s, median {self.median_seconds:5.2f} s, "
            f"{100 * self.hit_rate:3.0f} % of prompt tokens from the cache"
        )


def ask(
    stack: Stack, serve: Serve, model: str, prefixes: list[str], seconds: float, concurrency: int, seed: int
) -> Round:
    """Asks one-token questions on the texts, picked at random, so many at once; no request may fail."""
    before = serve.engine_metric(model, QUERIES), serve.engine_metric(model, HITS)
    began = time.monotonic()
    took = asyncio.run(_ask(stack, model, prefixes, seconds, concurrency, random.Random(seed)))  # noqa: S311
    elapsed = time.monotonic() - began
    time.sleep(3)  # workers export every 2.5 s: values-test.yaml
    queries = serve.engine_metric(model, QUERIES) - before[0]
    hits = serve.engine_metric(model, HITS) - before[1]
    return Round(len(took) / elapsed, statistics.median(took), hits / queries)


async def _ask(
    stack: Stack, model: str, prefixes: list[str], seconds: float, concurrency: int, pick: random.Random
) -> list[float]:
    took: list[float] = []
    ends = time.monotonic() + seconds

    async def one_after_another(client: AsyncOpenAI) -> None:
        while (began := time.monotonic()) < ends:
            prompt = f"{pick.choice(prefixes)} question {pick.randrange(1000)}"
            await client.completions.create(model=model, prompt=prompt, max_tokens=1)
            took.append(time.monotonic() - began)

    async with (
        AsyncOpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0, timeout=120) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(concurrency):
            group.create_task(one_after_another(client))
    return took
