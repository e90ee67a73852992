"""Remembers for some seconds that a model failed, so that requests with a fallback need not find it out each."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

from serve_app.settings.gateway import Breaker


class _State:
    __slots__ = ("failures", "open_until", "probing")

    def __init__(self) -> None:
        self.failures = 0
        self.open_until = 0.0
        self.probing = False


class Breakers:
    """A circuit breaker for each model.

    After `failures` failures in a row it is open: the model is skipped. Once `open_seconds` are over one request tries
    it (half-open): its success closes the breaker, its failure opens it again.
    """

    def __init__(
        self, settings: Callable[[], Breaker], registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._states: dict[str, _State] = {}
        self._open = Gauge(
            "ray_vllm_gateway_breaker_open", "1 while a model that failed is skipped.", ("model",), registry=registry
        )

    def declare(self, models: list[str]) -> None:
        """Shows the series of these models, and forgets others."""
        for gone in self._states.keys() - set(models):
            del self._states[gone]
            self._open.remove(gone)
        for model in models:
            self._open.labels(model)

    def allows(self, model: str) -> bool:
        """Whether a request may try a model. One that tries a model again has to report how that ended."""
        state = self._states.get(model)
        if state is None or not state.open_until:
            return True
        if state.probing or self._clock() < state.open_until:
            return False
        state.probing = True
        return True

    def succeeded(self, model: str) -> None:
        """Closes the breaker: the model has answered."""
        if self._states.pop(model, None) is not None:
            self._open.labels(model).set(0)

    def failed(self, model: str) -> None:
        """Counts a failure."""
        settings = self._settings()
        if not settings.failures:
            return
        state = self._states.setdefault(model, _State())
        state.failures += 1
        state.probing = False
        if state.failures >= settings.failures:
            state.open_until = self._clock() + settings.open_seconds
            self._open.labels(model).set(1)

    def gave_up(self, model: str) -> None:
        """Notes that a request which tried a model ended without telling how the model does."""
        if state := self._states.get(model):
            state.probing = False
