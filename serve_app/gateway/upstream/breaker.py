"""Circuit breakers: a model that keeps failing is skipped for seconds, so that requests with a fallback do not wait."""

import time
from collections.abc import Callable, Iterable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge

from serve_app.settings.gateway import Breaker


class State(StrEnum):
    """What a breaker does with requests."""

    CLOSED = "closed"
    """Lets all through."""
    OPEN = "open"
    """Lets none through."""
    HALF_OPEN = "half_open"
    """Lets one through now and then, to probe the model."""


class _ModelBreaker:
    __slots__ = ("failures", "next_probe", "state")

    def __init__(self) -> None:
        self.state = State.CLOSED
        self.failures = 0
        """In a row."""
        self.next_probe = 0.0
        """When a request may try the model, unless the breaker is closed."""


class Breakers:
    """A circuit breaker for each model of the configuration.

    After `failures` failures in a row it opens, and the model is skipped. `open_seconds` later one request probes the
    model (half-open): success closes the breaker, failure opens it again. Whole answers may take minutes, so the next
    request probes it if the first has not ended after another `open_seconds`.

    Breakers keep their state when the configuration is reloaded, and go with their models.
    """

    def __init__(
        self, settings: Callable[[], Breaker], registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Starts without models, see `declare`.

        Args:
            settings: Gets the settings in force.
            registry: Where the breakers' states are shown.
            clock: Tells the time in seconds.
        """
        self._settings = settings
        self._clock = clock
        self._breakers: dict[str, _ModelBreaker] = {}
        prefix = "ray_vllm_gateway_breaker_"
        self._open = Gauge(
            prefix + "open", "1 while a model that keeps failing is skipped.", ("model",), registry=registry
        )
        self._transitions = Counter(
            prefix + "transitions_total", "Changes of a breaker by its new state.", ("model", "to"), registry=registry
        )

    def declare(self, models: Iterable[str]) -> None:
        """Makes breakers for new models and forgets those of others, their series too."""
        named = set(models)
        for gone in self._breakers.keys() - named:
            del self._breakers[gone]
            self._open.remove(gone)
            for state in State:
                self._transitions.remove(gone, state)
        for model in named - self._breakers.keys():
            self._breakers[model] = _ModelBreaker()
            self._open.labels(model)
            for state in State:
                self._transitions.labels(model, state)

    def allows(self, model: str) -> bool:
        """Whether a request may try a model.

        Whoever is allowed reports how that ended, by `succeeded`, `failed` or `abandoned`: it may be the probe.
        """
        breaker, settings = self._breakers.get(model), self._settings()
        if breaker is None or breaker.state is State.CLOSED or not settings.failures:
            return True
        now = self._clock()
        if now < breaker.next_probe:
            return False
        breaker.next_probe = now + settings.open_seconds
        self._change(model, breaker, State.HALF_OPEN)
        return True

    def succeeded(self, model: str) -> None:
        """Notes that a model has answered."""
        if (breaker := self._breakers.get(model)) is not None:
            breaker.failures = 0
            self._change(model, breaker, State.CLOSED)

    def failed(self, model: str) -> None:
        """Notes that a model has failed."""
        breaker = self._breakers.get(model)
        if breaker is None:
            return
        breaker.failures += 1
        settings = self._settings()
        if not settings.failures:
            self._change(model, breaker, State.CLOSED)
        elif breaker.failures >= settings.failures or breaker.state is not State.CLOSED:
            breaker.next_probe = self._clock() + settings.open_seconds
            self._change(model, breaker, State.OPEN)

    def abandoned(self, model: str) -> None:
        """Notes that a request ended without telling how the model does; if it was a probe, the next request is one."""
        breaker = self._breakers.get(model)
        if breaker is not None and breaker.state is State.HALF_OPEN:
            breaker.next_probe = 0.0
            self._change(model, breaker, State.OPEN)

    def _change(self, model: str, breaker: _ModelBreaker, state: State) -> None:
        if breaker.state is not state:
            breaker.state = state
            self._open.labels(model).set(state is not State.CLOSED)
            self._transitions.labels(model, state).inc()
