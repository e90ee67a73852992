"""`data` and `vectorStores`: documents, and what pipelines search."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serve_app.settings import patterns
from serve_app.settings.chart.part import (
    Count,
    Image,
    ModelName,
    Name,
    Names,
    Part,
    PositiveCount,
    PositiveSeconds,
    Resources,
    ServiceAccount,
    Size,
)
from serve_app.settings.chart.pod import Pod

Port = Annotated[int, Field(ge=1, le=65535)]
SecretKey = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$")]


class DataDatabase(Part):
    """What is known of files and stores."""

    existing_secret: Names
    key: SecretKey
    port: Port


class DataFiles(Part):
    """The files' bytes."""

    url: Annotated[str, StringConstraints(pattern=r"^(s3://[a-z0-9][a-z0-9.-]*(/[^ ?#]*)?)?$")]
    max_bytes: PositiveCount
    max_team_bytes: Count


class DataVectors(Part):
    """The documents' parts with their vectors."""

    kind: Literal["milvus", "pgvector"]
    url: Annotated[str, StringConstraints(pattern=patterns.URL)]
    existing_secret: Names
    key: SecretKey
    port: Port
    timeout_seconds: PositiveSeconds


class DataChunk(Part):
    """How documents are split."""

    max_tokens: Annotated[int, Field(ge=16, le=4096)]
    overlap_tokens: Annotated[int, Field(ge=0, le=2048)] | None = None


class DataIngest(Part):
    """How documents get into stores."""

    concurrency: Annotated[int, Field(ge=1, le=32)]
    batch_size: Annotated[int, Field(ge=1, le=1024)]
    max_chunks: PositiveCount
    max_attempts: PositiveCount
    lease_seconds: Annotated[int, Field(ge=10, le=3600)]


class DataBatches(Part):
    """How batches run."""

    concurrent_requests: Annotated[int, Field(ge=1, le=1024)]
    price_factor: Annotated[float, Field(ge=0, le=1)]


class DataPersistence(Part):
    """The component's volume."""

    size: Annotated[Size, StringConstraints(min_length=1)]
    storage_class_name: Names
    existing_claim: Names


class Data(Part):
    """The component that keeps documents."""

    enabled: bool
    image: Image
    replicas: Annotated[int, Field(ge=1, le=64)]
    embed: Annotated[str, StringConstraints(pattern=patterns.or_empty(patterns.ROUTE))]
    existing_secret: Names
    database: DataDatabase
    files: DataFiles
    vectors: DataVectors
    chunk: DataChunk
    ingest: DataIngest
    batches: DataBatches
    persistence: DataPersistence
    resources: Resources
    service_account: ServiceAccount
    pod: Pod  # type: ignore[valid-type]


class Chunk(Part):
    """How documents are split."""

    max_tokens: Annotated[int, Field(ge=16, le=4096)] | None = Field(
        default=None,
        description="Tokens of a part at most, by cl100k_base; as `data.chunk` if not set.",
    )
    overlap_tokens: Annotated[int, Field(ge=0, le=2048)] | None = Field(
        default=None, description="Tokens that a part repeats of the one before; as `data.chunk` if not set."
    )


class VectorStore(Part):
    """A vector store that is there from the start."""

    embed: ModelName | None = Field(default=None, description="Model or route that embeds; `data.embed` if not set.")
    team: Name | None = Field(default=None, description="The team whose it is; everybody reads it if not set.")
    writers: list[Name] | None = Field(default=None, description="API keys that may write it, beside its team's.")
    chunk: Chunk | None = Field(default=None, description="How documents are split.")
    description: Annotated[str, StringConstraints(max_length=512)] | None = Field(
        default=None, description="What is in it."
    )


VectorStores = dict[Annotated[str, StringConstraints(pattern=patterns.VECTOR_STORE)], VectorStore | None]
