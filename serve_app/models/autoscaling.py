"""Autoscaling by what the engines say, for `replicas.policy`. Ray Serve applies bounds, delays and factors itself."""

import math
from typing import Any

Decision = tuple[float, dict[str, Any]]


def _sum(context: Any, statistic: str) -> float | None:  # noqa: ANN401 - Ray's AutoscalingContext, not imported here
    """A statistic over all replicas; none while no replica has said it."""
    values = (context.aggregated_metrics or {}).get(statistic) or {}
    return sum(values.values()) if values else None


def _fewest(context: Any) -> int:  # noqa: ANN401
    """A model that has requests keeps a replica, however little they take."""
    return 1 if context.total_num_requests > 0 else 0


class KvCache:
    """As many replicas as keep the use of their KV caches at a target: the sum of all uses, by the target."""

    def __init__(self, target: float) -> None:
        """Args: target: use of each KV cache, above 0 and up to 1."""
        self._target = target

    def __call__(self, context: Any) -> Decision:  # noqa: ANN401
        """The number of replicas that the load asks for."""
        usage = _sum(context, "kv_cache_usage")
        if usage is None:
            return context.target_num_replicas, {}
        return max(usage / self._target, _fewest(context)), {}


class WaitingRequests:
    """As `ongoing-requests`, and more as soon as requests wait in the engines.

    While some wait, what runs is what the replicas can take at once. So they would have to grow by (running + waiting)
    / running for none to wait.
    """

    def __init__(self, target: float) -> None:
        """Args: target: requests that may wait in each engine before replicas are added."""
        self._target = target

    def __call__(self, context: Any) -> Decision:  # noqa: ANN401
        """The number of replicas that the load asks for."""
        desired = context.total_num_requests / context.config.target_ongoing_requests
        waiting, running = _sum(context, "waiting"), _sum(context, "running")
        replicas = context.current_num_replicas
        if waiting and replicas and waiting / replicas > self._target:
            desired = max(desired, math.ceil(replicas * (1 + waiting / max(running or 0, 1))))
        return max(desired, _fewest(context)), {}
