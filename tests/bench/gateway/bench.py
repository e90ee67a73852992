"""What the gateway costs: a null model asked directly and through the gateway, in one run, over the loopback.

    python tests/bench/gateway/bench.py [--seconds 5]

The gateway has core 0 for itself; the null model and the clients share the next one (two more where there are four).
So the requests/s of the gateway are those of one core. "added" compares the same paced load, at half of what the
gateway can do, with and without it.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

ROOT = Path(__file__).parents[3]
KEY = "sk-bench"
CHUNKS = 64
WHOLE = b'{"id":"x","object":"chat.completion","choices":[{"message":{"role":"assistant","content":"%s"}}]}' % (
    b"x" * 300
)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(WHOLE), WHOLE)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"id":"x","object":"chat.completion.chunk","choices":[{"delta":{"content":"word "}}]}\n\n'
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)


class NullModel(asyncio.Protocol):
    """Answers at once: whole, or as a stream of `CHUNKS` writes."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, mark, body = self.buffer.partition(b"\r\n\r\n")
        if not mark or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self.buffer = b""
        if b'"stream": true' in body:
            self.transport.write(STREAM_HEAD)
            self.write_chunk(CHUNKS)
        else:
            self.transport.write(ANSWER)

    def write_chunk(self, left: int) -> None:
        self.transport.write(CHUNK if left else b"0\r\n\r\n")
        if left:
            asyncio.get_running_loop().call_soon(self.write_chunk, left - 1)


def null_model(port: int, core: int) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(NullModel, "127.0.0.1", port)
        await server.serve_forever()

    os.sched_setaffinity(0, {core})
    uvloop.run(serve())


class Client(asyncio.Protocol):
    """One connection, one request at a time."""

    done: asyncio.Future[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, _, body = self.buffer.partition(b"\r\n\r\n")
        is_whole = b"content-length" in head
        complete = len(body) >= len(WHOLE) if is_whole else self.buffer.endswith(b"0\r\n\r\n")
        if complete:
            assert self.buffer.startswith(b"HTTP/1.1 200"), self.buffer
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if hasattr(self, "done") and not self.done.done():
            self.done.set_exception(ConnectionError("closed"))

    async def ask(self, request: bytes) -> None:
        self.buffer = b""
        self.done = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        await self.done


def request_bytes(*, stream: bool) -> bytes:
    body = b'{"model": "a", "stream": %s, "messages": [{"role": "user", "content": "%s"}]}' % (
        b"true" if stream else b"false",
        b"word " * 100,
    )
    lines = (
        b"POST /v1/chat/completions HTTP/1.1",
        b"host: bench",
        b"authorization: Bearer " + KEY.encode(),
        b"content-type: application/json",
        b"content-length: %d" % len(body),
    )
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def connected(port: int, count: int) -> list[Client]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Client, "127.0.0.1", port))[1] for _ in range(count)]


async def ceiling(port: int, request: bytes, seconds: float, concurrency: int = 32) -> float:
    """Requests per second when each client asks again at once."""
    clients = await connected(port, concurrency)
    end = time.perf_counter() + seconds

    async def ask(client: Client) -> int:
        count = 0
        while time.perf_counter() < end:
            await client.ask(request)
            count += 1
        return count

    counts = await asyncio.gather(*map(ask, clients))
    return sum(counts) / seconds


async def paced(port: int, request: bytes, seconds: float, rate: float) -> tuple[float, float]:
    """p50 and p99 in milliseconds, from when a request was due, at a given number of requests per second."""
    idle: asyncio.Queue[Client] = asyncio.Queue()
    for client in await connected(port, 64):
        idle.put_nowait(client)
    times: list[float] = []

    async def ask(due: float) -> None:
        client = await idle.get()
        await client.ask(request)
        times.append(time.perf_counter() - due)
        idle.put_nowait(client)

    began = time.perf_counter()
    asking = []
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        asking.append(asyncio.create_task(ask(due)))
    await asyncio.gather(*asking)
    cuts = statistics.quantiles(times, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(direct: int, gateway: int, process: int, seconds: float) -> None:
    whole, stream = request_bytes(stream=False), request_bytes(stream=True)
    print(f"{'':28}{'direct':>12}{'gateway':>12}")
    for name, request in (("requests/s", whole), (f"streams/s of {CHUNKS} chunks", stream)):
        await ceiling(gateway, request, 1)  # warm
        before = cpu_seconds(process)
        through = await ceiling(gateway, request, seconds)
        cost = (cpu_seconds(process) - before) / (through * seconds)
        print(
            f"{name:28}{await ceiling(direct, request, seconds):>12.0f}{through:>12.0f}   {cost * 1e6:.0f} us CPU each"
        )
        rate = through / 2
        without, within = await paced(direct, request, seconds, rate), await paced(gateway, request, seconds, rate)
        for percentile, left, right in (("p50", without[0], within[0]), ("p99", without[1], within[1])):
            label = f"  {percentile} ms at {rate:.0f}/s"
            print(f"{label:28}{left:>12.2f}{right:>12.2f}   added {right - left:.2f}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on {port}")


def start_gateway(folder: Path, upstream: int, port: int) -> subprocess.Popen[bytes]:
    (folder / "keys").mkdir()
    (folder / "keys" / "bench").write_text(KEY)
    config = folder / "gateway.yaml"
    config.write_text(f"models: {{a: {{url: 'http://127.0.0.1:{upstream}/models/a'}}}}")
    command = [sys.executable, "-m", "serve_app.gateway", "--config", str(config), "--api-keys", str(folder / "keys")]
    command += ["--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(free_port())]
    pin: Callable[[], None] = lambda: os.sched_setaffinity(0, {0})  # noqa: E731
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment, preexec_fn=pin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement; there are eight")
    seconds = min(parser.parse_args().seconds, 60)
    cores = os.cpu_count() or 1
    model_core, client_core = (2, 3) if cores >= 4 else (cores - 1, cores - 1)
    direct, port = free_port(), free_port()
    model = multiprocessing.get_context("spawn").Process(target=null_model, args=(direct, model_core), daemon=True)
    model.start()
    with tempfile.TemporaryDirectory() as folder:
        gateway = start_gateway(Path(folder), direct, port)
        try:
            wait_for(direct)
            wait_for(port)
            os.sched_setaffinity(0, {client_core})
            uvloop.run(measure(direct, port, gateway.pid, seconds))
            memory = Path(f"/proc/{gateway.pid}/status").read_text().partition("VmRSS:")[2].split()[0]
            print(f"memory of the gateway: {int(memory) / 1024:.0f} MiB")
        finally:
            gateway.terminate()
            gateway.wait()
            model.kill()


if __name__ == "__main__":
    main()
