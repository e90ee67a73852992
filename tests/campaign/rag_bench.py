"""A pipeline's answers beside those of a client that does the same steps over HTTP."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from openai import AsyncOpenAI

from serve_app.pipelines.rag.prompt import fitting, numbered, with_documents
from serve_app.pipelines.rag.source import Source
from serve_app.settings.pipeline import RagSettings
from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import wait_until
from tests.cluster.stack import Stack

PIPELINE, PARTS, ROUNDS, TOKENS = "handbook-chat", ("embed", "search"), 3, 24
ASKED: Any = {"max_tokens": TOKENS, "temperature": 0, "extra_body": {"ignore_eos": True}}
Texts = list[str]
"""Of the documents that an answer is made from, in their order."""


@dataclass(frozen=True)
class Round:
    """What one round of questions found."""

    seconds: float
    """Median of an answer."""
    per_second: float
    """Answers of all that ask at once."""


def settings_of(stack: Stack) -> RagSettings:
    """The pipeline's settings, as it has them."""
    (service,) = stack.objects("rayservices.ray.io")
    applications = yaml.safe_load(service["spec"]["serveConfigV2"])["applications"]
    return RagSettings.parse(next(each["args"] for each in applications if each["name"] == PIPELINE))


async def by_pipeline(client: AsyncOpenAI, settings: RagSettings, question: str) -> Texts:
    """The pipeline's own answer."""
    messages: Any = [{"role": "user", "content": question}]
    answer = await client.chat.completions.create(model=settings.pipeline_id, messages=messages, **ASKED)
    assert answer.usage.completion_tokens == TOKENS
    return [each["text"] for each in answer.model_dump()["sources"]]


async def by_client(client: AsyncOpenAI, settings: RagSettings, question: str) -> Texts:
    """A search, and a completion with the prompt that the pipeline would make of what is found."""
    page = await client.vector_stores.search(
        settings.store.id,
        query=question,
        max_num_results=settings.keep,
        ranking_options={"score_threshold": settings.min_score},
    )
    found = [
        Source(each.file_id, each.filename, each.score, "\n".join(part.text for part in each.content))
        for each in page.data
    ]
    sources = fitting(found, settings.context_characters)
    conversation = [{"role": "user", "content": question}]
    messages: Any = with_documents(conversation, settings.prompt, numbered(sources))
    answer = await client.chat.completions.create(model=settings.generate, messages=messages, **ASKED)
    assert answer.usage.completion_tokens == TOKENS
    return [source.text for source in sources]


WAYS: dict[str, Callable[[AsyncOpenAI, RagSettings, str], Awaitable[Texts]]] = {
    "the pipeline": by_pipeline,
    "a client": by_client,
}


async def asked(
    stack: Stack, settings: RagSettings, way: str, questions: Sequence[str], at_once: int
) -> tuple[Round, list[Texts]]:
    """Asks all questions once, so many at once; no request may fail."""
    places, took = asyncio.Semaphore(at_once), list[float]()
    async with AsyncOpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0, timeout=300) as client:

        async def one(question: str) -> Texts:
            async with places:
                began = time.monotonic()
                found = await WAYS[way](client, settings, question)
                took.append(time.monotonic() - began)
                return found

        began = time.monotonic()
        found = await asyncio.gather(*(one(question) for question in questions))
        return Round(statistics.median(took), len(took) / (time.monotonic() - began)), found


def compare(stack: Stack, serve: Serve, questions: Sequence[str], at_once: int, store: str) -> None:
    """Notes seconds and answers per second of both ways, in turns, and the pipeline's seconds by part.

    Before that all is asked one after the other, which fills the prefix caches. There both ways have to find the same
    documents: an engine that embeds several questions together rounds differently, and may so order what is as near.
    """
    settings, title = settings_of(stack), f"{PIPELINE}, {store}, {at_once} at once"
    found = {way: asyncio.run(asked(stack, settings, way, questions, 1))[1] for way in WAYS}
    assert found["the pipeline"] == found["a client"]
    assert all(found["the pipeline"])
    time.sleep(4)  # workers export every 2.5 s: values-test.yaml
    before = parts(serve, "sum"), parts(serve, "count")
    rounds: dict[str, list[Round]] = {way: [] for way in WAYS}
    for number in range(ROUNDS):
        for way in sorted(WAYS, reverse=number % 2 == 1):
            rounds[way].append(asyncio.run(asked(stack, settings, way, questions, at_once))[0])
    for way, measured in rounds.items():
        seconds, rates = [each.seconds for each in measured], [each.per_second for each in measured]
        note(
            f"{title}: {way}: median {1000 * statistics.median(seconds):.0f} ms an answer "
            f"({1000 * min(seconds):.0f} to {1000 * max(seconds):.0f}), {statistics.median(rates):.1f} answers/s "
            f"({min(rates):.1f} to {max(rates):.1f})"
        )
    made = ROUNDS * len(questions)
    wait_until("the parts' metrics", 30, lambda: min(since(before[1], parts(serve, "count"))) >= made, pause=1)
    work = zip(PARTS, since(before[0], parts(serve, "sum")), since(before[1], parts(serve, "count")), strict=True)
    said = ", ".join(f"{part} {1000 * seconds / count:.0f} ms" for part, seconds, count in work)
    note(f"{title}: of the pipeline's answer on average {said}")


def parts(serve: Serve, what: str) -> list[float]:
    """Seconds of each part's work (`sum`), or how often it worked (`count`)."""
    return [serve.metric(f"ray_pipeline_part_seconds_{what}", application=PIPELINE, part=part) for part in PARTS]


def since(before: list[float], now: list[float]) -> list[float]:
    """What was added to each."""
    return [b - a for a, b in zip(before, now, strict=True)]
