"""The data component's configuration file, as pydantic models: what the chart renders and the component loads."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, StringConstraints, ValidationError

from serve_app.settings import patterns
from serve_app.settings.gateway.section import Count, Name, PositiveCount, Seconds, Section, explain

STORE_NAME = Annotated[str, StringConstraints(pattern=patterns.VECTOR_STORE)]


class Chunk(Section):
    """How documents are split, in tokens of OpenAI's cl100k_base."""

    max_tokens: Annotated[int, Field(ge=16, le=4096)] = 800
    overlap_tokens: Annotated[int, Field(ge=0, le=2048)] | None = Field(default=None, description="Half if not set.")

    @property
    def overlap(self) -> int:
        """Tokens that a part repeats of the one before."""
        return self.max_tokens // 2 if self.overlap_tokens is None else self.overlap_tokens


class Store(Section):
    """A vector store that is there from the start."""

    embed: Name
    team: str = ""
    writers: list[str] = Field(default_factory=list)
    chunk: Chunk = Chunk()
    description: str = ""


class Files(Section):
    """The files' bytes."""

    url: str = Field(default="", description="s3://BUCKET/PATH; empty: the directory.")
    max_bytes: PositiveCount = 100 * 1024 * 1024
    max_team_bytes: Count = Field(default=10 * 1024**3, description="Of all files of one team; 0: any number.")


class Vectors(Section):
    """The documents' parts with their vectors."""

    kind: Literal["milvus", "pgvector"] = "milvus"
    url: str = Field(default="", description="Of a Milvus; empty: Milvus Lite in the directory.")
    timeout_seconds: Seconds = 10


class Ingest(Section):
    """How documents get into stores."""

    concurrency: PositiveCount = 2
    batch_size: PositiveCount = 32
    max_chunks: PositiveCount = 20000
    max_attempts: PositiveCount = 8
    lease_seconds: PositiveCount = 60


class Batches(Section):
    """How batches run."""

    concurrent_requests: PositiveCount = Field(default=32, description="Of one batch at once, at most.")


class DataConfig(Section):
    """The configuration file."""

    gateway_url: Annotated[str, StringConstraints(pattern=r"^https?://")]
    directory: str = "/var/lib/data"
    embed: str = Field(default="", description="Model or route of stores that clients make without one.")
    files: Files = Files()
    vectors: Vectors = Vectors()
    chunk: Chunk = Field(default=Chunk(), description="Of stores that clients make.")
    ingest: Ingest = Ingest()
    batches: Batches = Batches()
    stores: dict[STORE_NAME, Store] = Field(default_factory=dict)


class DataConfigError(Exception):
    """The configuration cannot be used."""


def load(path: Path) -> DataConfig:
    """Reads the configuration file.

    Raises:
        DataConfigError: It is not YAML, or no configuration of the component.
        OSError: It cannot be read.
    """
    try:
        return DataConfig.model_validate(yaml.safe_load(path.read_text()))
    except yaml.YAMLError as error:
        raise DataConfigError(f"{path}: it is not YAML, correct it: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise DataConfigError(f"{path}: {explain(error)}") from error
