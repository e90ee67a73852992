"""An engine that is the limit: a demo model, made larger, in vLLM, asked directly and through each proxy, in turns."""

import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
import yaml

from serve_app import __version__
from tests.bench.gateway import load
from tests.bench.gateway.client import Client, FailedError, request
from tests.bench.gateway.load import Outcome, percentile
from tests.bench.gateway.peers import ROUTE, Peer, Place
from tests.bench.gateway.process import NotStartedError, Process, free_port, parent, stopping

ROOT = Path(__file__).parents[3]
IMAGE = f"ghcr.io/ray-vllm-stack/serve:{__version__}-cpu"
MODEL = "sparrow"
ENGINE_BOUND = Path(__file__).parent / "engine-bound.yaml"
TOKENS = 64
ASKED = f', "max_tokens": {TOKENS}, "ignore_eos": true, "temperature": 0'


@dataclass(frozen=True)
class Target:
    """Somebody to ask."""

    name: str
    host: str
    port: int
    asked: bytes

    @classmethod
    def local(cls, name: str, port: int) -> "Target":
        """One of this run's own processes."""
        return cls(name, "127.0.0.1", port, request(ROUTE, stream=True, text="What is Ray?", more=ASKED))

    @classmethod
    def at(cls, name: str, url: str, key: str) -> "Target":
        """One of a cluster, by the URL before /v1."""
        parts = urlsplit(url)
        asked = request(MODEL, stream=True, text="What is Ray?", more=ASKED, path=parts.path.rstrip("/"), key=key)
        return cls(name, parts.hostname or "", parts.port or 80, asked)


@dataclass
class Bound:
    """One target's rounds."""

    name: str
    rounds: dict[int, list[Outcome]] = field(default_factory=dict)
    """By concurrency."""
    error: str = ""

    def first(self, level: int, percent: int = 50) -> list[float]:
        """Milliseconds to the first token in each round."""
        return [percentile(one.first, percent) for one in self.rounds[level]]

    def tokens(self, level: int) -> list[float]:
        """Tokens per second in each round."""
        return [one.rate * TOKENS for one in self.rounds[level]]

    def ratio(self, base: "Bound", level: int) -> float:
        """The throughput to another's in the same round, the median of all."""
        pairs = zip(self.tokens(level), base.tokens(level), strict=True)
        return statistics.median(ours / theirs if theirs else float("nan") for ours, theirs in pairs)

    def later(self, base: "Bound", level: int) -> float:
        """Milliseconds more to the first token than another needed in the same round, the median of all."""
        pairs = zip(self.first(level), base.first(level), strict=True)
        return statistics.median(ours - theirs for ours, theirs in pairs)


class Contained(Process):
    """A process in a container: images/run.py tidies up after the runtime below it, which passes signals on."""

    def stop(self, *, within_seconds: float = 30) -> None:
        """Ends the container, then run.py if it is still there."""
        for pid in self.tree():
            if parent(pid) == self.pid:
                os.kill(pid, signal.SIGTERM)
        if not self.ended(within_seconds):
            super().stop()


@contextmanager
def vllm(folder: Path, port: int, cores: set[int]) -> Iterator[None]:
    """vLLM with the model of engine-bound.yaml, for as long as the block runs.

    Raises:
        NotStartedError: It did not come up; the image has to be built first.
    """
    models = subprocess.check_output([ROOT / "tests/models/train.sh", IMAGE], text=True).strip()
    pinned = ["taskset", "-c", ",".join(map(str, sorted(cores)))]
    environment = ["HF_HUB_OFFLINE=1", "VLLM_CPU_KVCACHE_SPACE=1", "VLLM_CPU_OMP_THREADS_BIND=nobind"]
    environment.append(f"OMP_NUM_THREADS={len(cores)}")
    bound = yaml.safe_load(ENGINE_BOUND.read_text())["models"][MODEL]["engine"]
    arguments = [
        part
        for name, value in bound.items()
        for part in (f"--{name.replace('_', '-')}", value if isinstance(value, str) else json.dumps(value))
    ]
    command = [
        *(sys.executable, str(ROOT / "images/run.py"), "--bind", f"{models}:/models"),
        *(f"--env={pair}" for pair in environment),
        *(IMAGE, *pinned, "vllm", "serve", f"/models/{MODEL}", "--served-model-name", MODEL, ROUTE),
        *("--host", "127.0.0.1", "--port", str(port), "--max-model-len", "2048", "--enforce-eager"),
        *(*arguments, "--disable-uvicorn-access-log"),
    ]
    with stopping(Contained("vllm", command, cores, {}, folder / "vllm.log")) as engine:
        engine.wait_for(port, 300)
        yield


async def verify(target: Target) -> None:
    """Asks once, and looks whether the stream is as long as was asked for.

    Raises:
        FailedError: It is not.
    """
    client = await Client.connect(target.port, target.host)
    try:
        stream = await client.read(target.asked)
    finally:
        client.close()
    if (events := stream.count(b'"content"')) < TOKENS // 2 or b'"length"' not in stream:
        raise FailedError(f"{events} events with content for {TOKENS} tokens: {stream[-300:]!r}")


def compare(
    targets: Sequence[Target], levels: Mapping[int, int], rounds: int, say: Callable[[str], None]
) -> list[Bound]:
    """Asks all targets in turns, at each concurrency, in each round; the order goes round too.

    Args:
        targets: Whom; the first is what the others are compared with.
        levels: Requests of a round, by how many there are at a time.
        rounds: How many rounds.
        say: Told how far it is.
    """
    bounds = {target.name: Bound(target.name, {level: [] for level in levels}) for target in targets}
    asked: list[Target] = []
    for target in targets:
        try:
            uvloop.run(verify(target))
        except FailedError as error:
            bounds[target.name].error = str(error)
        else:
            asked.append(target)
    for level, most in levels.items() if asked else ():  # whoever is first must not pay for what the engine does once
        uvloop.run(load.closed_loop(asked[0].port, asked[0].asked, level, seconds=60, most=most, host=asked[0].host))
    for number in range(rounds):
        turn = number % max(len(asked), 1)
        for level, most in levels.items():
            say(f"engine: round {number + 1} of {rounds}, concurrency {level}")
            for target in asked[turn:] + asked[:turn]:
                loop = load.closed_loop(target.port, target.asked, level, seconds=60, most=most, host=target.host)
                bounds[target.name].rounds[level].append(uvloop.run(loop))
    return list(bounds.values())


def local(
    chosen: Sequence[Peer],
    folder: Path,
    environments: Path,
    levels: Mapping[int, int],
    rounds: int,
    say: Callable[[str], None],
) -> list[Bound]:
    """vLLM alone, and with each proxy before it: the engine has all cores but the first, proxies and clients have that.

    Raises:
        NotStartedError: vLLM did not come up.
    """
    cores = set(range(os.cpu_count() or 1))
    upstream = free_port()
    failed: list[Bound] = []
    with ExitStack() as stack:
        say("engine: starting vLLM")
        stack.enter_context(vllm(folder, upstream, cores - {0} or cores))
        targets = [Target.local("direct", upstream)]
        for peer in chosen:
            place = Place(folder / f"engine-{peer.name}", free_port(), upstream, MODEL, environments)
            place.folder.mkdir()
            try:
                stack.enter_context(stopping(peer.start(place, 0)))
                targets.append(Target.local(peer.name, place.port))
            except NotStartedError as error:
                failed.append(Bound(peer.name, error=str(error)))
        os.sched_setaffinity(0, {0})
        try:
            return compare(targets, levels, rounds, say) + failed
        finally:
            os.sched_setaffinity(0, cores)


def cluster(
    direct: str, gateway: str, key: str, levels: Mapping[int, int], rounds: int, say: Callable[[str], None]
) -> list[Bound]:
    """Direct streaming and the gateway of a cluster that runs."""
    targets = [Target.at("direct streaming", direct, key), Target.at("gateway", gateway, key)]
    return compare(targets, levels, rounds, say)
