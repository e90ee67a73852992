"""Runs a job: partitions that have no part are answered, and each is written once all its rows are."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from serve_app.jobs import parts, plan
from serve_app.jobs.errors import JobError
from serve_app.jobs.places import Place
from serve_app.jobs.plan import Partition
from serve_app.settings.job import JobSettings

PROGRESS = "_progress.json"


class Answer(NamedTuple):
    """What came of one row, in any order."""

    part: str
    number: int
    """Its place in the partition, from 0."""
    row: dict[str, Any]
    """The input's columns and the answer's."""
    failed: bool


Answering = Callable[[list[Partition]], Iterator[Answer]]


def run(
    settings: JobSettings, source: Place, target: Place, answering: Answering, say: Callable[[str], object]
) -> None:
    """Runs a job to its end.

    Args:
        settings: The job.
        source: Where its input is.
        target: Where its output goes.
        answering: Answers the rows of partitions; may answer one twice.
        say: Prints a line of progress.

    Raises:
        JobError: The input cannot be used, or rows are left without an answer.
    """
    every = list(plan.partitions(settings, source, target))
    written = plan.done(target)
    progress = Progress(settings.job_id, target, every, written, say)
    left = {each.part: each for each in every if each.part not in written}
    progress.tell()
    if not left:
        return
    for part, rows, failed in whole(left, answering(list(left.values()))):
        target.write(part, parts.encoded(rows, settings.output_format))
        del left[part]
        progress.wrote(len(rows), failed)
    if left:
        raise JobError(f"{len(left)} parts have rows without an answer, such as {next(iter(left))}: run the job again")


def whole(wanted: dict[str, Partition], answers: Iterable[Answer]) -> Iterator[tuple[str, list[dict[str, Any]], int]]:
    """Parts as soon as all their rows are there: name, rows in order, and how many of them have failed."""
    begun: dict[str, dict[int, Answer]] = {}
    rows_of = {part: partition.rows for part, partition in wanted.items()}
    for answer in answers:
        if answer.part not in rows_of:
            continue  # written before: a worker that was lost had this row's answer on it
        found = begun.setdefault(answer.part, {})
        found.setdefault(answer.number, answer)
        if len(found) == rows_of[answer.part]:
            del begun[answer.part], rows_of[answer.part]
            ordered = [found[number] for number in sorted(found)]
            yield answer.part, [each.row for each in ordered], sum(each.failed for each in ordered)


class Progress:
    """How far a job is, as a line and as `_progress.json` in its output."""

    def __init__(
        self, job: str, target: Place, every: list[Partition], written: set[str], say: Callable[[str], object]
    ) -> None:
        self._job = job
        self._target = target
        self._say = say
        before = [each.rows for each in every if each.part in written]
        self._parts, self._all_parts = len(before), len(every)
        self._rows, self._all_rows = sum(before), sum(each.rows for each in every)
        self._failed = self._answered = 0
        self._began = time.monotonic()

    def wrote(self, rows: int, failed: int) -> None:
        """A part is written."""
        self._parts += 1
        self._rows += rows
        self._answered += rows
        self._failed += failed
        self.tell()

    def tell(self) -> None:
        """Prints the state, and writes it."""
        rate = self._answered / max(1e-9, time.monotonic() - self._began)
        state = {
            "job": self._job,
            "parts": self._all_parts,
            "parts_done": self._parts,
            "rows": self._all_rows,
            "rows_done": self._rows,
            "rows_failed_in_this_run": self._failed,
            "rows_per_second": round(rate, 2),
        }
        self._target.write(PROGRESS, json.dumps(state).encode())
        self._say(
            f"job {self._job}: {self._parts}/{self._all_parts} parts, {self._rows}/{self._all_rows} rows, "
            f"{self._failed} failed, {rate:.1f} rows/s"
        )
