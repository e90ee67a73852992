"""What an engine has to do, as vLLM's scheduler says after each step."""

from typing import Any

from vllm.v1.metrics.loggers import AggregateStatLoggerBase


class EngineStatistics(AggregateStatLoggerBase):  # type: ignore[misc]  # vLLM is not where types are checked
    """The latest figures of one engine."""

    def __init__(self) -> None:
        """Nothing is known before the first step."""
        self._values: dict[str, float] = {}

    def values(self) -> dict[str, float]:
        """`kv_cache_usage` (0 to 1), `running` and `waiting` requests; empty before the first step."""
        return dict(self._values)

    def record(
        self,
        scheduler_stats: Any,  # noqa: ANN401 - vLLM's own, which may change
        iteration_stats: Any,  # noqa: ANN401
        mm_cache_stats: Any = None,  # noqa: ANN401
        engine_idx: int = 0,
    ) -> None:
        """Called by vLLM after each step."""
        if scheduler_stats is not None:
            self._values = {
                "kv_cache_usage": float(scheduler_stats.kv_cache_usage),
                "running": float(scheduler_stats.num_running_reqs),
                "waiting": float(scheduler_stats.num_waiting_reqs),
            }

    def log_engine_initialized(self) -> None:
        """Nothing to say."""
