"""Many streams held open at once."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from tests.bench.gateway.client import Client, FailedError

OPENING = 64
"""How many streams are being opened at once."""


@dataclass
class Held:
    """How many streams were opened, stayed open while idle, and came to their end when the model ended them."""

    wanted: int
    processes: int = 1
    """How many processes of the proxy held them."""
    opened: int = 0
    kept: int = 0
    ended: int = 0
    error: str = ""
    seconds: float = 0
    """How long opening took."""
    memory: dict[int, float] = field(default_factory=dict)
    """Open streams -> MiB that the processes had together then."""

    @property
    def per_thousand(self) -> float:
        """Memory per 1,000 open streams, from the most that were open."""
        return (self.memory[self.opened] - self.memory[0]) / max(self.opened, 1) * 1000


async def hold(
    ports: Sequence[int],
    upstream: int,
    request: bytes,
    counts: list[int],
    memory: Callable[[], float],
    *,
    seconds: float,
) -> Held:
    """Opens streams up to each count, leaves them idle, and lets the null model end them.

    Args:
        ports: The proxy's processes, which get streams in turns.
        upstream: The null model's port.
        request: What opens a stream.
        counts: How many streams are open when memory is looked at.
        memory: MiB of all processes.
        seconds: Opening stops after so long; what is open then is what was held.
    """
    held = Held(counts[-1], len(ports))
    port = cycle(ports)
    streams: list[Client] = []
    began = time.perf_counter()

    opening = asyncio.Semaphore(OPENING)

    async def open_one() -> None:
        async with opening:
            if time.perf_counter() > began + seconds:
                return
            client = None
            try:
                client = await Client.connect(next(port))
                client.begin(request)
                await asyncio.wait_for(client.opened, 30)
            except (FailedError, TimeoutError) as error:
                held.error = held.error or str(error) or "no first event within 30 s"
                if client:
                    client.close()
            else:
                streams.append(client)

    try:
        held.memory[0] = memory()
        for count in counts:
            await asyncio.gather(*(open_one() for _ in range(count - len(streams))))
            held.opened, held.seconds = len(streams), time.perf_counter() - began
            await asyncio.sleep(3)  # idle, and time for a collector of garbage
            held.memory[len(streams)] = memory()
            if len(streams) < count:
                break
        ends = [stream.done for stream in streams if stream.done]
        held.kept = sum(not end.done() for end in ends)
        await release(upstream)
        if ends:
            await asyncio.wait(ends, timeout=60)
        held.ended = sum(end.done() and not end.exception() for end in ends)
    finally:
        for stream in streams:
            stream.close()
    return held


async def release(upstream: int) -> None:
    """Lets the null model end the streams that it holds."""
    with contextlib.suppress(FailedError):
        client = await Client.connect(upstream)
        await client.ask(b"POST /release HTTP/1.1\r\nhost: bench\r\ncontent-length: 0\r\n\r\n")
        client.close()
