"""Models of other kinds beside the demo's: one that embeds, one on two workers' devices, one without Ray."""

import asyncio
import statistics
import time

from openai import AsyncOpenAI, OpenAI

from tests.campaign.added import added, smollm2
from tests.campaign.test_standalone import SCRAPERS
from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import memory
from tests.cluster.load import Load
from tests.cluster.stack import Stack
from tests.cluster.test_edits import ray_cluster

ROUNDS, TOKENS = 3, 128


def test_embedding_and_tensor_parallel_beside_the_others(
    stack: Stack, serve: Serve, pairs: dict[str, dict[str, str]]
) -> None:
    """Both are added under load; the model cut in two answers as the whole one does."""
    minilm = {"source": "pvc://demo-models/minilm", "task": "embed", "engine": {"max_model_len": 256}}
    halves = {"source": "pvc://demo-models/sparrow", "parallelism": {"tensor": 2}}
    models = {"minilm": minilm, "halves": halves}
    before, cluster = serve.replicas("sparrow", "owl"), ray_cluster(stack)
    load = Load("embedding and halved model added", stack.url, stack.api_key, {"sparrow": 0.5, "owl": 0.5})
    with load, added(stack, serve, {name: {"accelerator": "cpu", **model} for name, model in models.items()}):
        client = OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0)
        paraphrases = ["How do I reset my password?", "I forgot my password, what now?", "Bread needs flour and water."]
        vectors = [each.embedding for each in client.embeddings.create(model="minilm", input=paraphrases).data]
        near, far = cosine(vectors[0], vectors[1]), cosine(vectors[0], vectors[2])
        note(f"minilm: cosine of two paraphrases {near:.2f}, of strangers {far:.2f}")
        assert near > far + 0.3
        for ask, answer in pairs["sparrow"].items():
            said = client.chat.completions.create(
                model="halves", messages=[{"role": "user", "content": ask}], temperature=0
            )
            assert said.choices[0].message.content == answer
    assert [outcome.failed for outcome in load.outcomes.values()] == [[], []]
    assert (serve.replicas("sparrow", "owl"), ray_cluster(stack)) == (before, cluster)


def cosine(one: list[float], other: list[float]) -> float:
    """Of two vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_ray_and_standalone_side_by_side(stack: Stack, serve: Serve) -> None:
    """The same model and engine arguments through the same gateway, in turns."""
    runtimes = ("ray", "standalone")
    stack.edit("--set-json", f"networkPolicy.monitoring={SCRAPERS}")  # a standalone model wants it stated
    with added(stack, serve, {f"on-{runtime}": {**smollm2(), "runtime": runtime} for runtime in runtimes}):
        for concurrency in (1, 8):
            found: dict[str, list[tuple[float, float]]] = {runtime: [] for runtime in runtimes}
            for number in range(ROUNDS + 1):
                for runtime in runtimes:
                    measured = asyncio.run(streams(stack, f"on-{runtime}", concurrency))
                    if number:  # the first warms up
                        found[runtime].append(measured)
            for runtime, rounds in found.items():
                first, rate = (statistics.median(each[part] for each in rounds) for part in (0, 1))
                spread = f"{min(each[1] for each in rounds):.0f} to {max(each[1] for each in rounds):.0f}"
                note(f"{runtime}, {concurrency} at once: first token {first:.0f} ms, {rate:.0f} tokens/s ({spread})")
                assert rate > 1
        for (pod, container), mib in memory(stack.namespace).items():
            note(f"memory: {pod}/{container}: {mib:.0f} MiB working set")


async def streams(stack: Stack, model: str, concurrency: int) -> tuple[float, float]:
    """So many streams at once, each to its last token: median first token in ms, tokens per second of all."""
    async with AsyncOpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0, timeout=300) as client:
        began = time.monotonic()
        firsts = await asyncio.gather(*(first_token(client, model, number) for number in range(concurrency)))
        return statistics.median(firsts) * 1000, concurrency * TOKENS / (time.monotonic() - began)


async def first_token(client: AsyncOpenAI, model: str, number: int) -> float:
    """Seconds until a stream's first token; it is read to its end."""
    began, first = time.monotonic(), 0.0
    stream = await client.completions.create(
        model=model,
        prompt=f"Story {number} of {began}: once upon a time",  # no prefix of another
        max_tokens=TOKENS,
        stream=True,
        extra_body={"ignore_eos": True},
    )
    async for _ in stream:
        first = first or time.monotonic() - began
    return first
