"""One proxy in front of the null model: what it can do on a core, what it adds at half of that, what streams weigh."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.bench.gateway import held, load, null_model
from tests.bench.gateway.client import Client, FailedError, request
from tests.bench.gateway.held import Held
from tests.bench.gateway.load import Outcome
from tests.bench.gateway.peers import ROUTE, Peer, Place
from tests.bench.gateway.process import NotStartedError, Process, free_port, stopping
from tests.bench.gateway.result import Added, Ceiling, Result, Steady

WHOLE = request(ROUTE, stream=False)
STREAM = request(ROUTE, stream=True)
STEADY = request(ROUTE, stream=True, text=null_model.STEADY.decode())
HOLD = request(ROUTE, stream=True, text=null_model.HOLD.decode())
CONCURRENCY = 32
STEADY_STREAMS = 128
TURNS = 3
PAUSE = 0.002
"""Between the clients' looks at a stream where only the rate counts, so that they do not become the limit."""


@dataclass(frozen=True)
class Bench:
    """What every measurement needs to know."""

    folder: Path
    environments: Path
    upstream: int
    """The port of the null model."""
    core: int
    """The proxies' core."""
    seconds: float
    rate: float | None
    """Requests per second at which it is looked at what is added; None for half of what each proxy can do."""
    streams: int
    """How many idle streams are to be held."""
    most_streams: int
    """How many of them a process can hold, by the open files that it may have."""
    per_core: bool
    """Whether only that is measured which tells what a core can do."""

    def place(self, peer: Peer, port: int) -> Place:
        """Where a proxy is started."""
        folder = self.folder / f"{peer.name}-{port}"
        folder.mkdir(exist_ok=True)  # a port may come again
        return Place(folder, port, self.upstream, "null", self.environments)


async def verify(port: int) -> None:
    """Asks once for each kind of answer and looks at all of it, before only speed is looked at.

    Raises:
        FailedError: What came is not what the null model said.
    """
    client = await Client.connect(port)
    try:
        if null_model.TEXT not in await client.read(WHOLE):
            raise FailedError("the answer's text did not come through")
        stream = await client.read(STREAM)
        if (words := stream.count(b"word ")) != null_model.CHUNKS or b"data: [DONE]" not in stream:
            raise FailedError(f"{words} of the stream's {null_model.CHUNKS} words came through: {stream[-200:]!r}")
    finally:
        client.close()


async def ceiling(port: int, asked: bytes, seconds: float, process: Process | None) -> Ceiling:
    """The most answers per second, after a second to warm up."""
    await load.closed_loop(port, asked, CONCURRENCY, seconds=1, pause=PAUSE)
    before = process.cpu_seconds() if process else 0
    outcome = await load.closed_loop(port, asked, CONCURRENCY, seconds=seconds, pause=PAUSE)
    return Ceiling(outcome, process.cpu_seconds() - before if process else 0)


async def at_rate(bench: Bench, port: int, rate: float, process: Process) -> Added:
    """What whole answers take longer at such a rate: medians, with and without the proxy in turns."""
    seconds = min(max(bench.seconds, 200 / rate), 20)
    turns = []
    for _ in range(TURNS):
        without = await load.paced(bench.upstream, WHOLE, rate, seconds=seconds)
        before = process.cpu_seconds()
        within = await load.paced(port, WHOLE, rate, seconds=seconds)
        added = Added.between(without, within, lambda outcome: outcome.whole)
        added.busy = (process.cpu_seconds() - before) / within.seconds
        turns.append(added)
    return Added.median(turns)


async def steady(bench: Bench, port: int, process: Process) -> Steady:
    """Streams as an engine makes them: events one by one."""

    async def streams(port: int) -> Outcome:
        lasts = null_model.CHUNKS * null_model.INTERVAL
        seconds = max(bench.seconds, lasts)
        return await load.closed_loop(port, STEADY, STEADY_STREAMS, seconds=seconds, stagger=lasts)

    without = await streams(bench.upstream)
    before = process.cpu_seconds()
    within = await streams(port)
    events = max(within.answered, 1) * null_model.CHUNKS
    return Steady(
        cpu_us=(process.cpu_seconds() - before) / events * 1e6,
        first=Added.between(without, within, lambda outcome: outcome.first),
        whole=Added.between(without, within, lambda outcome: outcome.whole),
    )


async def hold(bench: Bench, proxies: Mapping[int, Process]) -> Held:
    """Streams held open by processes of a proxy that were just started, by their ports."""
    for port in proxies:
        await verify(port)
    counts = [count for count in (1000,) if count < bench.streams] + [bench.streams]

    def memory() -> float:
        return sum(process.memory_mib() for process in proxies.values())

    return await held.hold(list(proxies), bench.upstream, HOLD, counts, memory, seconds=90)


def direct(bench: Bench) -> Result:
    """The null model without a proxy: the bound that the load sets for everybody."""
    result = Result("direct", "the null model and the clients, which share a core: the bound of the load")
    result.whole = result.attempt("requests", lambda: ceiling(bench.upstream, WHOLE, bench.seconds, None))
    result.stream = result.attempt("streams", lambda: ceiling(bench.upstream, STREAM, bench.seconds, None))
    return result


def started(peer: Peer, bench: Bench) -> tuple[int, Process]:
    """A proxy in front of the null model, and its port.

    Raises:
        NotStartedError: It did not come up.
    """
    port = free_port()
    return port, peer.start(bench.place(peer, port), bench.core)


def speed(peer: Peer, bench: Bench) -> Result:
    """What a proxy does with its core."""
    result = Result(peer.name, peer.about, is_gateway=peer.is_gateway)
    try:
        port, process = started(peer, bench)
        with stopping(process):
            uvloop.run(verify(port))
            result.whole = result.attempt("requests", lambda: ceiling(port, WHOLE, bench.seconds, process))
            result.stream = result.attempt("streams", lambda: ceiling(port, STREAM, bench.seconds, process))
            if result.whole and not bench.per_core:
                rate = bench.rate or result.whole.outcome.rate / 2
                result.added = result.attempt("steady rate", lambda: at_rate(bench, port, rate, process))
            result.steady = result.attempt("steady streams", lambda: steady(bench, port, process))
    except (NotStartedError, FailedError, OSError) as error:
        result.errors.append(str(error))
    return result


def open_streams(peer: Peer, bench: Bench, result: Result) -> None:
    """Adds what streams weigh that stay open; one process may not be allowed to hold them all."""
    try:
        with ExitStack() as stack:
            proxies: dict[int, Process] = {}
            while len(proxies) * bench.most_streams < bench.streams:
                port, process = started(peer, bench)
                proxies[port] = stack.enter_context(stopping(process))
            result.held = result.attempt("open streams", lambda: hold(bench, proxies))
    except (NotStartedError, OSError) as error:
        result.errors.append(str(error))


def through(peers: Sequence[Peer], bench: Bench, rounds: int, say: Callable[[str], None]) -> list[Result]:
    """Everything about all proxies: the speed in turns, since the machine's own changes by the minute; then streams.

    Who is first in a round is second in the next, so that none gains by its place.
    """
    found: dict[str, list[Result]] = {peer.name: [] for peer in peers}
    for number in range(rounds):
        turn = number % max(len(peers), 1)
        for peer in [*peers[turn:], *peers[:turn]]:
            say(f"round {number + 1} of {rounds}, {peer.name}: speed")
            found[peer.name].append(speed(peer, bench))
    results = [Result.median(found[peer.name]) for peer in peers]
    for peer, result in () if bench.per_core else zip(peers, results, strict=True):
        say(f"{peer.name}: open streams")
        open_streams(peer, bench, result)
    return results
