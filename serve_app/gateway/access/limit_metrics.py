"""What is counted about limits."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from serve_app.gateway.access.rules import Limit

_KINDS = ("key", "team", "subject")


class LimitMetrics:
    """The series of limits, from the start on at 0."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers them."""
        rejections = Counter(
            "ray_vllm_gateway_limit_rejections_total",
            "Requests refused by a limit, by whose and which.",
            ("scope", "limit"),
            registry=registry,
        )
        self._rejections = {(kind, limit): rejections.labels(kind, limit) for kind in _KINDS for limit in Limit}
        self.shared = Gauge(
            "ray_vllm_gateway_limits_shared",
            "1 while the replicas share their limits through Redis, 0 while each counts for itself.",
            registry=registry,
        )
        self.store_errors = Counter(
            "ray_vllm_gateway_limit_store_errors_total",
            "Failed or too slow operations of Redis.",
            registry=registry,
        )

    def rejected(self, kind: str, limit: Limit) -> None:
        """Counts a refusal."""
        self._rejections[kind, limit].inc()
