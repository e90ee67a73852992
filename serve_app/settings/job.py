"""What the chart says to an offline job: the JSON of its environment variable `JOB_SETTINGS`."""

import json
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from serve_app.settings import patterns
from serve_app.settings.errors import SettingsError, explain
from serve_app.settings.model import ModelSettings, Settings

Format = Literal["jsonl", "parquet"]
VARIABLE = "JOB_SETTINGS"


class JobSettings(Settings):
    """One job: rows of files in, rows with answers out."""

    job_id: str = Field(pattern=patterns.JOB)
    model: ModelSettings
    input: str = Field(pattern=patterns.PLACE)
    output: str = Field(pattern=patterns.PLACE)
    output_format: Format = "jsonl"
    column: str = Field(min_length=1)
    """Holds what is asked: a list of messages, or a text."""
    chat: bool = True
    """Whether a text is a user's message; else it is the prompt itself."""
    sampling: dict[str, Any] = Field(default_factory=dict)
    """vLLM's SamplingParams."""
    partition_rows: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    min_replicas: int = Field(ge=1)
    max_replicas: int = Field(ge=1)

    @model_validator(mode="after")
    def _task_has_answers(self) -> Self:
        if self.model.task not in ("generate", "embed"):
            raise ValueError(f"model has task {self.model.task!r}, use one with task generate or embed")
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"min_replicas is {self.min_replicas}, more than max_replicas, lower it")
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the variable's text.

        Raises:
            SettingsError: It cannot work; one sentence that begins with the job's id.
        """
        try:
            args = json.loads(text)
        except ValueError as error:
            raise SettingsError(f"{VARIABLE} is no JSON, render it with the chart: {error}") from None
        try:
            return cls.model_validate(args)
        except ValidationError as error:
            name = args.get("job_id") if isinstance(args, dict) else None
            raise SettingsError(f"job {name!r}: {explain(error, cls)}") from None

    @property
    def asked(self) -> dict[str, Any]:
        """What decides the answers: parts that were written otherwise are not of this job."""
        model = self.model.model_dump(include={"source", "revision", "task", "engine"})
        return {"model": model, **self.model_dump(include={"column", "chat", "sampling", "output_format"})}
