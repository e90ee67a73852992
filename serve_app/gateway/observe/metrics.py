"""What the gateway counts; every label's values come from the configuration or from a fixed set."""

from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from serve_app import __version__
from serve_app.gateway.exchange.outcome import RETRIED, Outcome, Reason
from serve_app.gateway.exchange.plan import Target
from serve_app.settings.gateway import Task

TIME_TO_FIRST_BYTE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
DURATION = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


_MAIN_API: dict[Task, str] = {
    "generate": "chat_completions",
    "embed": "embeddings",
    "score": "rerank",
    "transcribe": "transcriptions",
}


class Metrics:
    """The series, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def named(name: str) -> str:
            return f"ray_vllm_gateway_{name}"

        to = ("model", "route")
        self.requests = Counter(
            named("requests_total"), "Requests by how they ended.", (*to, "api", "status"), registry=registry
        )
        self.time_to_first_byte = Histogram(
            named("time_to_first_byte_seconds"),
            "From a request to the first byte of a successful answer's body.",
            to,
            buckets=TIME_TO_FIRST_BYTE,
            registry=registry,
        )
        self.duration = Histogram(
            named("request_duration_seconds"),
            "From a request to the last byte of its answer.",
            to,
            buckets=DURATION,
            registry=registry,
        )
        self.in_flight = Gauge(
            named("requests_in_flight"), "Requests that are being answered.", ("model",), registry=registry
        )
        self.retries = Counter(
            named("retries_total"), "Attempts made anew, by what failed.", ("model", "reason"), registry=registry
        )
        self.upstream_errors = Counter(
            named("upstream_errors_total"),
            "Requests that failed because of the model's side, retries included.",
            ("model", "reason"),
            registry=registry,
        )
        self.client_disconnects = Counter(
            named("client_disconnects_total"), "Clients that left before the end.", ("model",), registry=registry
        )
        self.config_reloads = Counter(
            named("config_reloads_total"), "New contents seen.", ("source", "result"), registry=registry
        )
        self.config_valid = Gauge(
            named("config_valid"), "1 if what is mounted is in use, 0 if refused.", ("source",), registry=registry
        )
        self.draining = Gauge(named("draining"), "1 from the signal to stop on.", registry=registry)
        build = Gauge(named("build_info"), "The gateway's version.", ("version",), registry=registry)
        build.labels(__version__).set(1)
        for source in ("config", "api_keys"):
            for result in ("ok", "failed"):
                self.config_reloads.labels(source, result)
        # Looking up a labelled child takes a lock and a tuple of strings each time; requests do it once per label set.
        self.request_counter = lru_cache(maxsize=4096)(self.requests.labels)
        self.first_byte_histogram = lru_cache(maxsize=4096)(self.time_to_first_byte.labels)
        self.duration_histogram = lru_cache(maxsize=4096)(self.duration.labels)
        self.in_flight_gauge = lru_cache(maxsize=4096)(self.in_flight.labels)

    def declare(self, targets: Iterable[Target]) -> None:
        """Makes the series of these targets visible as 0, so that rates and alerts see the first increase.

        Of the APIs only the one that is asked for most: all of them would be many series that stay 0.
        """
        for to in targets:
            for outcome in Outcome:
                self.requests.labels(to.model, to.route, _MAIN_API[to.entry.task], outcome)
            self.time_to_first_byte.labels(to.model, to.route)
            self.duration.labels(to.model, to.route)
            self.in_flight.labels(to.model)
            self.client_disconnects.labels(to.model)
            for reason in Reason:
                self.upstream_errors.labels(to.model, reason)
            for reason in RETRIED:
                self.retries.labels(to.model, reason)
