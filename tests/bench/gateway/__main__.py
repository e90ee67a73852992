"""What the gateway costs, and what others in its place would: all in one run, over the loopback.

    python -m tests.bench.gateway [--only null|engine] [--peers NAME,...]

Two gateways in turns in one run, what a core can do and nothing else, in three minutes:

    python -m tests.bench.gateway --only null --peers gateway --per-core --gateway before=PATH --gateway after=.
    python -m tests.bench.gateway --only null --peers gateway --per-core --aiohttp

null: a model that costs nothing, so that each proxy shows its own ceiling. Each has core 0 to itself; the model and the
clients have the others. engine: a model in vLLM that is the limit, on the other cores; proxies and clients have core 0.
"""

import argparse
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.gateway import engine, measure, null_model, report
from tests.bench.gateway.checkouts import ON_AIOHTTP, ROOT, Checkout
from tests.bench.gateway.peers import Peer, peers
from tests.bench.gateway.process import NotStartedError, free_port

CACHE = Path(os.environ.get("RAY_VLLM_STACK_CACHE") or Path.home() / ".cache/ray-vllm-stack")


def say(text: str) -> None:
    """Tells how far it is."""
    sys.stderr.write(f"bench: {text}\n")


def at_once(text: str) -> dict[int, int]:
    """Reads what `--at-once` is given.

    Raises:
        ValueError: It is something else.
    """
    pairs = [pair.split(":") for pair in text.split(",")]
    return {int(streams): int(requests) for streams, requests in pairs}


@contextmanager
def before_others() -> Iterator[str]:
    """Real-time priority for this process and all that it starts in the block; yields a sentence about that.

    A daemon or a kernel thread that takes a core for 8 ms each second shows in a 99th percentile: a proxy that has a
    quarter of its core to spare needs four times as long to work off what queued up, the load without one does not.
    """
    usual = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        yield "Ordinary priority: other work of this machine shows in the percentiles (root has real-time priority)."
        return
    try:
        yield "All processes had real-time priority (SCHED_RR), so that other work of this machine waited."
    finally:
        os.sched_setscheduler(0, *usual)


def null_part(arguments: argparse.Namespace, chosen: list[Peer], folder: Path) -> str:
    """Compares in front of the null model."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most_streams = (hard - 200) // 2  # a proxy needs two open files for each, the clients and the model one
    streams = min(arguments.streams, hard - 200)
    if streams < arguments.streams:
        say(f"{streams:,} idle streams: a process may have {hard:,} open files here")
    cores = os.cpu_count() or 1
    model_core, client_core = (2, 3) if cores >= 4 else (cores - 1, cores - 1)
    upstream = free_port()
    model = multiprocessing.get_context("spawn").Process(
        target=null_model.run, args=(upstream, model_core), daemon=True
    )
    model.start()
    os.sched_setaffinity(0, {client_core})
    time.sleep(1)
    seconds = min(arguments.seconds, 60)
    bench = measure.Bench(
        *(folder, CACHE / "bench", upstream),
        core=0,
        seconds=seconds,
        rate=arguments.rate,
        streams=streams,
        most_streams=most_streams,
        per_core=arguments.per_core,
    )
    try:
        say("direct")
        results = [measure.direct(bench), *measure.through(chosen, bench, arguments.rounds, say)]
    finally:
        model.kill()
        os.sched_setaffinity(0, range(cores))
    return report.null_report(results)


def engine_part(arguments: argparse.Namespace, chosen: list[Peer], folder: Path) -> str:
    """Compares in front of an engine: of this run, or of a cluster."""
    if arguments.cluster:
        direct, gateway, key = arguments.cluster
        bounds = engine.cluster(direct, gateway, key, arguments.at_once, arguments.rounds, say)
    else:
        try:
            bounds = engine.local(chosen, folder, CACHE / "bench", arguments.at_once, arguments.rounds, say)
        except NotStartedError as error:
            return f"Not measured with an engine: {error}"
    return report.engine_report(bounds)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["null", "engine"], help="one of the two parts")
    parser.add_argument("--peers", help="some of the proxies, with commas (gateway: all gateways); all if not set")
    parser.add_argument("--seconds", type=float, default=5, help="null: of each measurement (%(default)s)")
    parser.add_argument(
        "--rate", type=float, help="null: requests/s for what is added; half of what each can do if not set"
    )
    parser.add_argument("--streams", type=int, default=10_000, help="null: idle streams to hold (%(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds of all in turns, whose median counts (%(default)s)"
    )
    parser.add_argument(
        "--at-once",
        type=at_once,
        default="1:10,8:64,32:96,128:256",
        metavar="STREAMS:REQUESTS,...",
        help="engine: streams at a time, and requests of a round (%(default)s)",
    )
    parser.add_argument(
        "--cluster",
        nargs=3,
        metavar=("DIRECT", "GATEWAY", "KEY"),
        help=f"engine: not a vLLM of its own but {engine.MODEL} of a running cluster, by the two URLs before /v1",
    )
    parser.add_argument(
        "--gateway",
        type=Checkout.parse,
        action="append",
        metavar="[NAME=]PATH",
        help="the checkout whose gateway it is, this one if not set; several are compared with the first",
    )
    parser.add_argument(
        "--aiohttp", action="store_true", help="add the gateway with aiohttp in place of its own client"
    )
    parser.add_argument(
        "--per-core", action="store_true", help="null: only requests, streams and steady events per core"
    )
    arguments = parser.parse_args()
    # An interrupt ends what runs in a loop, then all that was started. A shell's background jobs ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    names = arguments.peers.split(",") if arguments.peers else None
    checkouts = arguments.gateway or [Checkout("gateway", ROOT)]
    if arguments.aiohttp:
        checkouts = [ON_AIOHTTP, *checkouts]
    checkouts = [checkout.installed() for checkout in checkouts]
    chosen = [
        peer for peer in peers(checkouts) if not names or peer.name in names or (peer.is_gateway and "gateway" in names)
    ]
    sys.stdout.write(f"{os.cpu_count()} cores, load average before the run {os.getloadavg()[0]:.1f}\n\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.only != "engine":
            with before_others() as priority:
                sys.stdout.write(f"{null_part(arguments, chosen, folder)}\n\n{priority}\n\n")
            sys.stdout.flush()
        if arguments.only != "null":
            sys.stdout.write(engine_part(arguments, chosen, folder) + "\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("bench: stopped")
