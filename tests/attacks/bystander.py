"""An ordinary client, in a process of its own: it asks one small question after another, whatever others do."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from tests.attacks.pod import BYSTANDER
from tests.bench.gateway.client import Client, FailedError, request

PAUSE = 0.02
PATIENCE = 15.0
"""Seconds; an answer that takes longer counts as none."""


@dataclass
class Answers:
    """What the ordinary client got; `slowest` in seconds, connecting included."""

    asked: int = 0
    answered: int = 0
    slowest: float = 0
    errors: list[str] = field(default_factory=list)
    """The first few failures, in words."""


async def _ask(port: int, client: Client | None, question: bytes) -> Client:
    client = client or await Client.connect(port)
    await client.ask(question)
    return client


async def _converse(port: int, until: Connection) -> Answers:
    answers = Answers()
    whole, stream = (request("plain", stream=stream, key=BYSTANDER) for stream in (False, True))
    kept: Client | None = None
    while not until.poll():
        began = time.monotonic()
        fresh = answers.asked % 2 == 1  # by turns on a connection that is kept, and on a new one
        answers.asked += 1
        try:
            async with asyncio.timeout(PATIENCE):
                client = await _ask(port, None if fresh else kept, stream if fresh else whole)
        except (FailedError, TimeoutError) as error:
            answers.errors = [*answers.errors, f"{error or 'no answer'} at {began:.1f}"][:5]
            kept = kept if fresh else None
            await asyncio.sleep(0.1)
        else:
            answers.answered += 1
            if fresh:
                client.close()
            else:
                kept = client
        answers.slowest = max(answers.slowest, time.monotonic() - began)
        await asyncio.sleep(PAUSE)
    return answers


def _run(port: int, pipe: Connection) -> None:
    pipe.send(asyncio.run(_converse(port, pipe)))


class Bystander:
    """The client's process; `stop` ends it and says what it got."""

    def __init__(self, port: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(port, theirs), daemon=True)
        self._process.start()

    def stop(self) -> Answers:
        """Ends it after the answer that it waits for."""
        self._pipe.send("stop")
        assert self._pipe.poll(PATIENCE + 10), "the ordinary client hangs"
        answers = self._pipe.recv()
        assert isinstance(answers, Answers)
        self._process.join()
        return answers

    def kill(self) -> None:
        """Ends it at once."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()


@contextmanager
def standing_by(port: int) -> Iterator[Bystander]:
    """An ordinary client that asks for as long as the block runs, if it is not stopped before."""
    bystander = Bystander(port)
    try:
        yield bystander
    finally:
        bystander.kill()
