"""`jobs` and `jobDefaults`: offline batches."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import Count, Part, PositiveCount, Raw, partial
from serve_app.settings.chart.pod import Pod

JobName = Annotated[str, StringConstraints(pattern=patterns.JOB)]
PlaceOrNone = Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.PLACE))]
ModelOrNone = Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.MODEL_ID))]
ClassOrNone = Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.ACCELERATOR_CLASS))]


class JobWorkers(Part):
    """The job's own worker group."""

    accelerator: ClassOrNone
    min: PositiveCount
    max: PositiveCount
    spot: bool
    pod: Pod  # type: ignore[valid-type]


class JobDefaults(Part):
    """What a job has where its own entry says nothing."""

    enabled: bool
    model: ModelOrNone
    input: PlaceOrNone
    output: PlaceOrNone
    output_format: Literal["jsonl", "parquet"]
    column: Annotated[str, StringConstraints(min_length=1)]
    chat: bool
    sampling: Raw
    partition_rows: PositiveCount
    batch_size: PositiveCount
    workers: JobWorkers
    schedule: Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.SCHEDULE))]
    suspend: bool
    retries: Count
    deadline_seconds: PositiveCount
    keep_seconds: Count
    spec: Raw


Job = partial(JobDefaults, "Job")
Jobs = dict[JobName, Job | None]  # type: ignore[valid-type]
