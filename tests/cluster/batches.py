"""Batches over the API on a release: made, followed, and their files against their lines."""

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from openai import APIError, OpenAI
from openai.types import Batch

from tests.cluster.stack import Stack

CHAT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
ENDED = ("completed", "failed", "expired", "cancelled")


def client_of(stack: Stack) -> OpenAI:
    """A client that tries again while a part of the way is away."""
    return OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=8, timeout=60)


def begun(client: OpenAI, count: int, model: str, tokens: int = 4) -> Batch:
    """A batch of so many lines."""
    lines = [
        {"custom_id": f"line-{number}", "method": "POST", "url": CHAT, "body": body(number, model, tokens)}
        for number in range(count)
    ]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    file = client.files.create(file=("in.jsonl", content), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")


def body(number: int, model: str, tokens: int) -> dict[str, object]:
    """What one line asks."""
    messages = [{"role": "user", "content": f"Question {number}"}]
    return {"model": model, "messages": messages, "max_tokens": tokens, "temperature": 0}


def done(client: OpenAI, batch: Batch) -> int:
    """Lines that are answered; -1 while nobody can tell."""
    try:
        counts = client.batches.retrieve(batch.id).request_counts
    except APIError:
        return -1
    return counts.completed + counts.failed if counts else 0


def ended(client: OpenAI, batch: Batch, seconds: float) -> Batch:
    """The batch at its end."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            batch = client.batches.retrieve(batch.id)
        except APIError:
            time.sleep(2)
            continue
        if batch.status in ENDED:
            return batch
        time.sleep(1)
    raise TimeoutError(f"after {seconds:.0f} s the batch is {batch.status}: {batch.request_counts}")


def each_line_once(client: OpenAI, batch: Batch, count: int) -> None:
    """Every line has its answer in the output, once, in the order of the input."""
    assert batch.status == "completed", batch
    assert batch.error_file_id is None, client.files.content(str(batch.error_file_id)).text[:2000]
    lines = [json.loads(line) for line in client.files.content(str(batch.output_file_id)).text.splitlines()]
    assert [line["custom_id"] for line in lines] == [f"line-{number}" for number in range(count)]
    assert all(line["response"]["status_code"] == 200 for line in lines)


class FirstTokens:
    """Seconds to the first token of one streamed request after the other."""

    def __init__(self, client: OpenAI, model: str) -> None:
        self._client = client
        self._model = model

    def measured(self, requests: int, pause: float = 0.5) -> list[float]:
        """Asks so many times."""
        found = []
        for number in range(requests):
            began = time.monotonic()
            messages: Any = [{"role": "user", "content": f"Interactive {number}"}]
            with self._client.chat.completions.create(
                model=self._model, messages=messages, max_tokens=8, stream=True
            ) as stream:
                next(iter(stream))
                found.append(time.monotonic() - began)
                for _ in stream:
                    pass
            time.sleep(pause)
        return found


def spread(seconds: list[float]) -> tuple[float, float]:
    """Median, and how far from it nine of ten are."""
    middle = statistics.median(seconds)
    return middle, sorted(abs(each - middle) for each in seconds)[int(len(seconds) * 0.9)]


@contextmanager
def timed() -> Iterator[list[float]]:
    """Seconds that a block took, at its end."""
    found: list[float] = []
    began = time.monotonic()
    yield found
    found.append(time.monotonic() - began)
