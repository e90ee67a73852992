"""What the gateway counts about keys and tokens."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge


class TokenResult(StrEnum):
    """What a token's check ended with."""

    OK = "ok"
    MALFORMED = "malformed"
    """No JSON web token, or without a claim that it must have."""
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
    """None of the teams, where one has to be."""
    NO_KEYS = "no_keys"
    """The issuer's keys could not be fetched, not once."""


class AccessMetrics:
    """The series about who asks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers them."""
        self.keys = Gauge(
            "ray_vllm_gateway_api_keys", "Entries of the mounted API keys.", ("state",), registry=registry
        )
        self.tokens = Counter(
            "ray_vllm_gateway_tokens_checked_total",
            "Tokens that were checked; one that was checked before is not checked again.",
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
        for state in ("accepted", "refused"):
            self.keys.labels(state)
        for result in TokenResult:
            self.tokens.labels(result)
        for outcome in ("ok", "failed"):
            self.issuer_fetches.labels(outcome)
