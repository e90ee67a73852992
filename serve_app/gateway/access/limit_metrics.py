"""Metrics of limits."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from serve_app.gateway.access.rules import Limit

_KINDS = ("key", "team", "subject")


class LimitMetrics:
    """The series, all of them visible from the start."""

    def __init__(self, registry: CollectorRegistry) -> None:
        rejections = Counter(
            "ray_vllm_gateway_limit_rejections_total",
            "Requests refused by a limit, by whose it is and which.",
            ("scope", "limit"),
            registry=registry,
        )
        self._rejections = {(kind, limit): rejections.labels(kind, limit) for kind in _KINDS for limit in Limit}
        self.shared = Gauge(
            "ray_vllm_gateway_limits_shared",
            "1 while replicas share their limits through Redis, 0 while each counts for itself.",
            registry=registry,
        )
        self.store_errors = Counter(
            "ray_vllm_gateway_limit_store_errors_total",
            "Operations of Redis that failed or took too long.",
            registry=registry,
        )

    def rejected(self, kind: str, limit: Limit) -> None:
        """Counts a refusal."""
        self._rejections[kind, limit].inc()
