"""How far batches are, for Prometheus."""

from types import TracebackType
from typing import Self

from serve_app.data.batches.records import Ages
from serve_app.data.metrics import Metrics

_STATES = ("waiting", "in_flight", "completed", "failed")


class Progress:
    """One batch that this replica runs; its series are there meanwhile."""

    def __init__(self, metrics: Metrics, batch_id: str, owner: str, total: int, completed: int, failed: int) -> None:
        """Begins.

        Args:
            metrics: Where it is told.
            batch_id: The batch's.
            owner: Whose it is.
            total: Its lines.
            completed: Those that were answered before.
            failed: Those that have no answer for good.
        """
        self._metrics = metrics
        self._labels = batch_id, team_of(owner)
        self._total = total
        self._counts = {"completed": completed, "failed": failed}
        self._in_flight = 0

    def __enter__(self) -> Self:
        self._tell()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for state in _STATES:
            self._metrics.batch_lines.remove(*self._labels, state)

    def asked(self) -> None:
        """A line has its turn."""
        self._in_flight += 1
        self._tell()

    def ended(self, *, succeeded: bool) -> None:
        """A line that had its turn is answered."""
        status = "completed" if succeeded else "failed"
        self._in_flight -= 1
        self._counts[status] += 1
        self._metrics.batch_lines_ended.labels(self._labels[1], status).inc()
        self._tell()

    def _tell(self) -> None:
        counts = {"in_flight": self._in_flight, **self._counts}
        counts["waiting"] = self._total - sum(counts.values())
        for state, count in counts.items():
            self._metrics.batch_lines.labels(*self._labels, state).set(count)


def tell_ages(metrics: Metrics, ages: Ages) -> None:
    """Tells how long batches wait; of keys without a team also 0, so that a panel shows that and not nothing."""
    for gauge, found in ((metrics.batch_waiting, ages.waiting), (metrics.batch_idle, ages.idle)):
        longest = {"": 0.0}
        for owner, seconds in found.items():
            longest[team_of(owner)] = max(seconds, longest.get(team_of(owner), 0))
        gauge.clear()
        for team, seconds in longest.items():
            gauge.labels(team).set(seconds)


def team_of(owner: str) -> str:
    """A team's name; empty for a key or token without one, so that labels stay bounded."""
    kind, _, name = owner.partition("/")
    return name if kind == "team" else ""
