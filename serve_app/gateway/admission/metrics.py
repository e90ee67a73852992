"""What is counted about waiting."""

from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge

REJECTIONS = ("full", "timeout", "displaced")


class QueueMetrics:
    """Series of the queues in front of models."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.length = Gauge(
            "ray_vllm_gateway_queue_length", "Requests that wait for their turn.", ("model",), registry=registry
        )
        self.rejections = Counter(
            "ray_vllm_gateway_queue_rejections_total",
            "Requests that were refused in place of their turn.",
            ("model", "reason"),
            registry=registry,
        )
        self.length_gauge = lru_cache(maxsize=4096)(self.length.labels)

    def declare(self, models: Iterable[str]) -> None:
        """Makes the series of these models visible as 0."""
        for model in models:
            self.length.labels(model)
            for reason in REJECTIONS:
                self.rejections.labels(model, reason)
