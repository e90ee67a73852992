"""What is counted about the ways that requests take, and about their copies."""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram

from serve_app.gateway.exchange.plan import Plan
from serve_app.gateway.observe.metrics import DURATION, TIME_TO_FIRST_BYTE

RATE_LIMITED = "rate_limited"
SERVER_ERROR = "server_error"
BREAKER_OPEN = "breaker_open"
FALLBACK_REASONS = (
    RATE_LIMITED,
    "model_unavailable",
    "model_overloaded",
    "timeout",
    "bad_gateway",
    SERVER_ERROR,
    BREAKER_OPEN,
)
"""What keeps a model from answering so that the next is asked; codes of the errors that clients would have got."""


class ShadowStatus(StrEnum):
    """How a copy ended: the class of the answer's status, or what kept it from coming."""

    SUCCESS = "2xx"
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"
    FAILED = "failed"
    """No answer: not reached, not available, or nothing came in time."""
    BROKEN = "broken"
    """The answer ended before its end."""
    CANCELLED = "cancelled"
    """The caller left, or its own answer broke; or the gateway ended."""


class Comparison(StrEnum):
    """What a copy's answer is beside the one that the caller got."""

    SAME = "same"
    DIFFERENT = "different"
    PRIMARY_FAILED = "primary_failed"
    SHADOW_FAILED = "shadow_failed"
    TOO_LONG = "too_long"
    """Both are there, but more than is kept of them."""


class RoutingMetrics:
    """Series of choices, fallbacks and shadows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix, to = "ray_vllm_gateway_", ("route", "model")

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(prefix + name, text, (*to, *labels), registry=registry)

        self.choices = counter("route_choices_total", "Requests by the backend that was chosen for them.")
        self.fallbacks = counter(
            "fallbacks_total",
            "Requests that went on to another model, by what the one before failed with.",
            "to",
            "reason",
        )
        self.shadow_requests = counter("shadow_requests_total", "Copies of requests by how they ended.", "status")
        self.shadow_dropped = counter("shadow_dropped_total", "Copies left out to spare the process.")
        self.shadow_comparisons = counter(
            "shadow_comparisons_total", "Copies by what their answers are beside the callers' own.", "result"
        )
        self.shadow_completion_tokens = counter("shadow_completion_tokens_total", "Tokens of the answers to copies.")
        self.shadow_time_to_first_byte = Histogram(
            prefix + "shadow_time_to_first_byte_seconds",
            "From a copy to the first byte of a successful answer's body.",
            to,
            buckets=TIME_TO_FIRST_BYTE,
            registry=registry,
        )
        self.shadow_duration = Histogram(
            prefix + "shadow_duration_seconds",
            "From a copy to the last byte of a successful answer.",
            to,
            buckets=DURATION,
            registry=registry,
        )
        self._choice = lru_cache(maxsize=4096)(self.choices.labels)

    def chose(self, plan: Plan) -> None:
        """Counts where a request goes, if a route decided."""
        if plan.route:
            self._choice(plan.route, plan.targets[0].model).inc()

    def declare(self, plans: Iterable[Plan]) -> None:
        """Makes the series of these plans visible as 0, so that rates and alerts see the first increase."""
        for plan in plans:
            if plan.route:
                self.choices.labels(plan.route, plan.targets[0].model)
            for target, to in zip(plan.targets, plan.targets[1:], strict=False):
                for reason in FALLBACK_REASONS:
                    self.fallbacks.labels(plan.route, target.model, to.model, reason)
            for shadow in plan.shadows:
                self._declare_shadow(plan.route, shadow.model)

    def _declare_shadow(self, route: str, model: str) -> None:
        for status in ShadowStatus:
            self.shadow_requests.labels(route, model, status)
        for result in Comparison:
            self.shadow_comparisons.labels(route, model, result)
        for series in (
            self.shadow_dropped,
            self.shadow_completion_tokens,
            self.shadow_time_to_first_byte,
            self.shadow_duration,
        ):
            series.labels(route, model)
