"""What is counted about the ways that requests take."""

from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter

from serve_app.gateway.observe.metrics import Reason
from serve_app.gateway.routing.plan import Plan


class RoutingMetrics:
    """Series of choices, fallbacks and shadows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers them."""

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"ray_vllm_gateway_{name}", text, ("route", "model", *labels), registry=registry)

        self.choices = counter("route_choices_total", "Requests by the backend that was chosen for them.")
        self.fallbacks = counter(
            "fallbacks_total",
            "Requests sent to another model, by what kept the one before from answering.",
            "to",
            "reason",
        )
        self._choice = lru_cache(maxsize=4096)(self.choices.labels)

    def chose(self, plan: Plan) -> None:
        """Counts where a request goes, if a route decided."""
        if plan.route:
            self._choice(plan.route, plan.targets[0].model).inc()

    def declare(self, plans: Iterable[Plan]) -> None:
        """Makes the series of these plans visible as 0."""
        for plan in plans:
            if plan.route:
                self.choices.labels(plan.route, plan.targets[0].model)
            for target, to in zip(plan.targets, plan.targets[1:], strict=False):
                for reason in Reason:
                    self.fallbacks.labels(plan.route, target.model, to.model, reason)
