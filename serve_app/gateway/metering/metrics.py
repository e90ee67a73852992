"""What is counted about tokens and money; every label's values come from the configuration, the keys or a fixed set."""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from itertools import islice, product
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram

from serve_app.gateway.exchange.plan import Target

MOST_DECLARED = 300
"""Accounts whose counters are shown before their first request; each is three series, and a scrape costs time."""

_TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)
_PER_TOKEN = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1)
_WAITS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Unknown(StrEnum):
    """Why the tokens of a request are not known."""

    DISCONNECT = "disconnect"
    """The client left before the model reported them."""
    BROKEN = "broken"
    """The answer broke off before."""
    NOT_REPORTED = "not_reported"
    """The whole answer is there and does not tell."""


class Account(NamedTuple):
    """Whose tokens are counted together."""

    team: str
    key: str
    model: str
    route: str


class Tokens(NamedTuple):
    """An account's counters."""

    prompt: Counter
    cached: Counter
    completion: Counter


class MeteringMetrics:
    """Series about tokens."""

    def __init__(self, registry: CollectorRegistry) -> None:

        def histogram(name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"ray_vllm_gateway_{name}", text, labels, buckets=buckets, registry=registry)

        self.tokens = Counter(
            "ray_vllm_gateway_tokens_total",
            "Tokens that models reported; no token is of two kinds: a prompt's are either computed or cached.",
            (*Account._fields, "kind"),
            registry=registry,
        )
        self.cost = Counter(
            "ray_vllm_gateway_cost_total",
            "Price of the tokens, for models that have one.",
            (*Account._fields, "currency"),
            registry=registry,
        )
        self.usage_unknown = Counter(
            "ray_vllm_gateway_usage_unknown_total",
            "Requests of which no tokens could be counted, or those of the answer only.",
            ("model", "reason"),
            registry=registry,
        )
        self.time_per_output_token = histogram(
            "time_per_output_token_seconds",
            "From a stream's first byte to its last, for each token after the first: a mean for each request.",
            ("model", "route"),
            _PER_TOKEN,
        )
        self.queue_seconds = histogram("queue_seconds", "Wait for a request's turn.", ("model",), _WAITS)
        self.prompt_tokens = histogram("prompt_tokens", "Tokens of a prompt, cached ones too.", ("model",), _TOKENS)
        self.completion_tokens = histogram("completion_tokens", "Tokens of an answer.", ("model",), _TOKENS)
        # Looking up a labelled child takes a lock and a tuple of strings each time; requests do it once per label set.
        self.tokens_of = lru_cache(maxsize=4096)(self._tokens_of)
        self.cost_of = lru_cache(maxsize=4096)(lambda account, currency: self.cost.labels(*account, currency))
        self.time_per_output_token_histogram = lru_cache(maxsize=4096)(self.time_per_output_token.labels)
        self.queue_histogram = lru_cache(maxsize=4096)(self.queue_seconds.labels)
        self.prompt_histogram = lru_cache(maxsize=4096)(self.prompt_tokens.labels)
        self.completion_histogram = lru_cache(maxsize=4096)(self.completion_tokens.labels)

    def _tokens_of(self, account: Account) -> Tokens:
        return Tokens(*(self.tokens.labels(*account, kind) for kind in Tokens._fields))

    def declare(self, destinations: Iterable[Target], callers: Iterable[tuple[str, str]] = ()) -> None:
        """Makes series visible as 0, so that rates see the first increase.

        Args:
            destinations: Models, and models behind routes.
            callers: Teams and keys. They are multiplied by the destinations, so no more than `MOST_DECLARED` accounts
                are shown; the others appear with their first request.
        """
        known = list(destinations)
        for to in known:
            self.time_per_output_token.labels(to.model, to.route)
            for by_model in (self.queue_seconds, self.prompt_tokens, self.completion_tokens):
                by_model.labels(to.model)
            for reason in Unknown:
                self.usage_unknown.labels(to.model, reason)
        for to, (team, key) in islice(product(known, callers), MOST_DECLARED):
            self.tokens_of(Account(team, key, to.model, to.route))
