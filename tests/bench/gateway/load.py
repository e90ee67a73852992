"""The loads: as fast as it goes, and at a steady rate."""

import asyncio
import statistics
import time
from collections import deque
from dataclasses import dataclass, field

from tests.bench.gateway.client import Client, FailedError
from tests.bench.gateway.timer import ticking


@dataclass
class Outcome:
    """What became of a load's requests; times in milliseconds."""

    answered: int = 0
    failed: int = 0
    error: str = ""
    seconds: float = 0
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds

    def fail(self, error: BaseException) -> None:
        """Counts a failure; the first one's words are kept."""
        self.failed += 1
        self.error = self.error or str(error) or type(error).__name__

    def took(self, began: float, client: Client) -> None:
        """Counts an answer."""
        self.answered += 1
        self.first.append((client.first - began) * 1000)
        self.whole.append((time.perf_counter() - began) * 1000)


def percentile(times: list[float], percent: int) -> float:
    """Of 1 to 99; not a number where there is nothing to tell it from."""
    return statistics.quantiles(times, n=100)[percent - 1] if len(times) > 1 else float("nan")


async def closed_loop(
    port: int,
    request: bytes,
    concurrency: int,
    *,
    seconds: float,
    most: int = 10**9,
    pause: float = 0,
    stagger: float = 0,
    host: str = "127.0.0.1",
) -> Outcome:
    """Each connection asks again as soon as it has its answer.

    Args:
        port: Whom to ask.
        request: What to ask.
        concurrency: The number of connections.
        seconds: No request is begun after that; what was begun is waited for.
        most: No more requests than that are begun.
        pause: See `Client.pause`.
        stagger: The connections begin one after another over so many seconds.
        host: Where the port is.
    """
    outcome = Outcome()
    began = time.perf_counter()
    end = began + seconds
    left = iter(range(most))

    async def ask(number: int) -> None:
        await asyncio.sleep(number / concurrency * stagger)
        client: Client | None = None
        while time.perf_counter() < end and next(left, None) is not None:
            at = time.perf_counter()
            try:
                client = client or await Client.connect(port, host)
                client.pause = pause
                await client.ask(request)
            except FailedError as error:
                outcome.fail(error)
                client = None
                await asyncio.sleep(0.05)
            else:
                outcome.took(at, client)
        if client:
            client.close()

    await asyncio.gather(*map(ask, range(concurrency)))
    outcome.seconds = time.perf_counter() - began
    return outcome


async def paced(port: int, request: bytes, rate: float, *, seconds: float, connections: int = 64) -> Outcome:
    """So many requests per second, whatever becomes of them; times count from when a request was due.

    It is written with callbacks, since a task for each request would cost more than most proxies do.

    Raises:
        FailedError: Nobody took the connections.
    """
    outcome = Outcome()
    count = int(rate * seconds)
    idle = deque([await Client.connect(port) for _ in range(connections)])  # in turns, so that none idles for long
    waiting: deque[float] = deque()
    finished = asyncio.Event()
    began = time.perf_counter()
    due = 0

    def begin(client: Client, at: float) -> None:
        client.begin(request)
        assert client.done
        client.done.add_done_callback(lambda done: end(client, at, done.exception()))

    def end(client: Client, at: float, error: BaseException | None) -> None:
        if error:
            outcome.fail(error)
        else:
            outcome.took(at, client)
        if outcome.answered + outcome.failed >= count:
            finished.set()
        elif waiting:
            begin(client, waiting.popleft())
        else:
            idle.append(client)

    def tick() -> None:
        nonlocal due
        now = time.perf_counter()
        while due < count and (at := began + due / rate) <= now:
            due += 1
            if idle:
                begin(idle.popleft(), at)
            else:
                waiting.append(at)

    with ticking(1 / rate, tick):
        await finished.wait()
    outcome.seconds = time.perf_counter() - began
    for client in idle:
        client.close()
    return outcome
