"""Metrics of a pipeline's parts. Ray adds the application, the deployment and the replica as labels."""

from typing import Any

SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
DOCUMENTS = [1, 2, 3, 5, 10, 20, 50]
STEPS = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 100]


class Measures:
    """Where a part notes what it did; this one forgets it."""

    def part(self, name: str, seconds: float) -> None:
        """A part's work has ended, well or not."""

    def found(self, documents: int) -> None:
        """A question has found so many sources."""

    def tokens(self, part: str, count: int) -> None:
        """A model of a part has read so many tokens."""

    def steps(self, count: int) -> None:
        """An agent's answer took so many steps of its model."""

    def tool_failed(self, tool: str) -> None:
        """A tool of an agent has failed, by its name in the values."""


class RayMeasures(Measures):
    """Ray's own metrics, which every pod exports; made in a replica."""

    def __init__(self) -> None:
        from ray.serve import metrics

        self._seconds: Any = metrics.Histogram(
            "pipeline_part_seconds",
            description="Seconds that a part of a pipeline took.",
            boundaries=SECONDS,
            tag_keys=("part",),
        )
        self._documents: Any = metrics.Histogram(
            "pipeline_documents", description="Documents that a question found.", boundaries=DOCUMENTS
        )
        self._none: Any = metrics.Counter("pipeline_not_found", description="Questions that found nothing.")
        self._tokens: Any = metrics.Counter(
            "pipeline_tokens", description="Tokens that models of a part read.", tag_keys=("part",)
        )
        self._steps: Any = metrics.Histogram(
            "pipeline_steps", description="Steps of an agent's model that an answer took.", boundaries=STEPS
        )
        self._failed: Any = metrics.Counter(
            "pipeline_tool_failures", description="Tools of an agent that failed.", tag_keys=("tool",)
        )

    def part(self, name: str, seconds: float) -> None:
        """See `Measures`."""
        self._seconds.observe(seconds, tags={"part": name})

    def found(self, documents: int) -> None:
        """See `Measures`."""
        self._documents.observe(documents)
        if not documents:
            self._none.inc()

    def tokens(self, part: str, count: int) -> None:
        """See `Measures`."""
        if count:  # Ray refuses 0
            self._tokens.inc(count, tags={"part": part})

    def steps(self, count: int) -> None:
        """See `Measures`."""
        self._steps.observe(count)

    def tool_failed(self, tool: str) -> None:
        """See `Measures`."""
        self._failed.inc(tags={"tool": tool})
