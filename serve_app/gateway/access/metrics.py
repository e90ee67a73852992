"""Metrics of keys and tokens."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge


class AuthFailure(StrEnum):
    """Why a request has no caller; label values of metrics."""

    MISSING = "missing"
    """Neither key nor token."""
    INVALID = "invalid"
    EXPIRED = "expired"
    """A key past its `expires`."""
    TOKEN = "token"  # noqa: S105
    """A token that is refused; `TokenResult` says why."""


class TokenResult(StrEnum):
    """How a token's check ended."""

    OK = "ok"
    MALFORMED = "malformed"
    """No JSON web token, or one that lacks a required claim."""
    ALGORITHM = "algorithm"
    """Signed in a way that is not accepted."""
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    UNKNOWN_KEY = "unknown_key"
    """Signed with a key that the issuer does not have."""
    SIGNATURE = "signature"
    TEAM = "team"
    """It names none of the teams, and one is required."""
    NO_KEYS = "no_keys"
    """The issuer's keys have never been fetched."""


class AccessMetrics:
    """The series, all of them visible from the start."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._failures = Counter(
            "ray_vllm_gateway_auth_failures_total",
            "Requests without a valid API key or token.",
            ("reason",),
            registry=registry,
        )
        self.keys = Gauge(
            "ray_vllm_gateway_api_keys", "Entries of the mounted API keys.", ("state",), registry=registry
        )
        self.tokens = Counter(
            "ray_vllm_gateway_tokens_checked_total",
            "Tokens that were verified; a token that is remembered is not verified again.",
            ("result",),
            registry=registry,
        )
        self.issuer_fetches = Counter(
            "ray_vllm_gateway_issuer_fetches_total",
            "Fetches of the token issuer's keys.",
            ("result",),
            registry=registry,
        )
        self.issuer_keys = Gauge(
            "ray_vllm_gateway_issuer_keys", "The token issuer's keys that are in use.", registry=registry
        )
        for reason in AuthFailure:
            self._failures.labels(reason)
        for state in ("accepted", "refused"):
            self.keys.labels(state)
        for result in TokenResult:
            self.tokens.labels(result)
        for outcome in ("ok", "failed"):
            self.issuer_fetches.labels(outcome)

    def failed(self, reason: AuthFailure) -> None:
        """Counts a request that is refused for want of a caller."""
        self._failures.labels(reason).inc()
