"""An attack on its stage: a model, the gateway, an ordinary client, and what became of all three."""

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.attacks import hostile
from tests.attacks.bystander import Answers, standing_by
from tests.attacks.pod import MIB, Pod
from tests.bench.gateway import null_model
from tests.bench.gateway.process import free_port

BACK_SECONDS = 10.0
"""How soon after an attack memory and slots have to be back."""
BACK_MIB = 64.0
"""How much more memory than before may stay: what bodies may take at the next attack, and the allocator kept."""
SLOWEST = 2.0
"""Seconds; the longest that the ordinary client may wait on a machine of two cores that it shares with the attack."""
CONNECTIONS_BACK = 8
ROWS: list["Row"] = []
"""All attacks so far, for the table."""


@dataclass
class Row:
    """What an attack came to; memory in MiB."""

    name: str
    base: float
    ceiling: float
    rss_peak: float = 0
    cgroup_peak: float = 0
    rss_after: float = 0
    killed: bool = False
    back_seconds: float | None = None
    """None: not within `BACK_SECONDS`, `missing` says what."""
    missing: str = ""
    answers: Answers = field(default_factory=Answers)
    got: str = ""
    """What the attackers were answered."""

    def problems(self) -> list[str]:
        """What an attack must not do, in sentences."""
        told = []
        if self.killed:
            told.append("the gateway was killed")
        if self.rss_peak > self.base + self.ceiling:
            told.append(f"RSS reached {self.rss_peak:.0f} MiB, {self.base:.0f} + {self.ceiling:.0f} are allowed")
        if self.answers.answered < self.answers.asked or not self.answers.asked:
            told.append(
                f"the ordinary client got {self.answers.answered} of {self.answers.asked} answers:"
                f" {'; '.join(self.answers.errors)}"
            )
        if self.answers.slowest > SLOWEST:
            told.append(f"the ordinary client waited {self.answers.slowest:.1f} s for an answer")
        if self.back_seconds is None:
            told.append(f"not as before {BACK_SECONDS:g} s later: {self.missing}")
        return told


class Stage:
    """A running gateway before a null model."""

    def __init__(self, pod: Pod, upstream: int) -> None:
        self.pod, self.upstream = pod, upstream
        self.port = pod.port

    @contextlib.asynccontextmanager
    async def attack(self, name: str, *, ceiling: float) -> AsyncIterator[Row]:
        """Runs an attack in the block while the ordinary client asks; then waits for calm, and judges.

        Args:
            name: Its name in the table.
            ceiling: How many MiB of RSS the attack may add at its peak.

        Raises:
            AssertionError: It did harm.
        """
        with standing_by(self.port) as bystander:
            await asyncio.sleep(1)  # its first requests are part of the memory before
            row = Row(name, self.pod.memory(), ceiling)
            ROWS.append(row)
            connections = self.pod.connections()
            failure: Exception | None = None
            try:
                yield row
            except (AssertionError, OSError) as error:  # not the only thing to tell: the row has more
                failure = error
            await self._calm(row, connections)
            row.answers = await asyncio.to_thread(bystander.stop)
        found = [*([f"{failure or type(failure).__name__}"] if failure else []), *row.problems()]
        assert not found, f"{name}: {'; '.join(found)}"

    async def _calm(self, row: Row, connections: int) -> None:
        began = time.monotonic()
        row.missing = "it has ended"
        while not self.pod.killed and time.monotonic() < began + BACK_SECONDS:
            row.rss_peak = max(row.rss_peak, self.pod.memory("VmHWM"))
            row.missing = await self._missing(row, connections)
            if not row.missing:
                row.back_seconds = time.monotonic() - began
                break
            await asyncio.sleep(0.1)
        row.killed = self.pod.killed
        row.rss_after, row.rss_peak = self.pod.memory(), max(row.rss_peak, self.pod.memory("VmHWM"))
        row.cgroup_peak = self.pod.cgroup.peak / MIB

    async def _missing(self, row: Row, connections: int) -> str:
        """What is not as it was before; empty if all is."""
        pod = self.pod
        busy = await asyncio.to_thread(pod.metric, "requests_in_flight", but="plain")
        waiting = await asyncio.to_thread(pod.metric, "queue_length", but="plain")
        if busy is None or waiting is None:
            return "its metrics cannot be read"
        if busy or waiting:
            return f"{busy:g} requests in flight, {waiting:g} in the queue"
        if (more := pod.connections() - connections) > CONNECTIONS_BACK:
            return f"{more} more connections"
        if (more_memory := pod.memory() - row.base) > BACK_MIB:
            return f"{more_memory:.0f} MiB more"
        slots = [model for model, many in (("narrow", 2), ("single", 1)) for _ in range(many)]
        question = b'{"model": "%s", "messages": [{"role": "user", "content": "hi"}]}'
        attempts = (hostile.asked(self.port, hostile.post(question % model.encode()), 2) for model in slots)
        answered = await hostile.in_parallel(attempts)
        return "" if answered[200] == len(slots) else f"models with {len(slots)} slots answered {told(answered)}"


def told(statuses: Mapping[int, int]) -> str:
    """Statuses and how often each came, as text."""
    each = (f"{count} x {status or 'lost'}" for status, count in sorted(statuses.items()))
    return ", ".join(each)


@contextlib.contextmanager
def set_up(folder: Path, files: int) -> Iterator[Stage]:
    """A null model and a gateway before it, for as long as the block runs."""
    port = free_port()
    model = multiprocessing.get_context("spawn").Process(target=null_model.run, args=(port, None), daemon=True)
    model.start()
    try:
        with Pod.running(folder, port, files) as pod:
            yield Stage(pod, port)
    finally:
        model.kill()
        model.join()


def table() -> str:
    """All attacks so far, as Markdown."""
    lines = [
        "| attack | MiB before | peak RSS | peak of the cgroup | RSS after | killed"
        " | ordinary client: answered, slowest | back after | attackers got |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | --- |",
    ]
    for row in ROWS:
        back = f"{row.back_seconds:.1f} s" if row.back_seconds is not None else f"no: {row.missing}"
        answers = f"{row.answers.answered} of {row.answers.asked}, {row.answers.slowest:.2f} s"
        lines.append(
            f"| {row.name} | {row.base:.0f} | {row.rss_peak:.0f} | {row.cgroup_peak:.0f} | {row.rss_after:.0f}"
            f" | {'yes' if row.killed else 'no'} | {answers} | {back} | {row.got or '-'} |"
        )
    return "\n".join(lines)
