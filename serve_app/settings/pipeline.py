"""What the chart says to one pipeline's application: the `args` of its entry in serveConfigV2.

As for models, scaling has no place here: replicas, concurrency and resources are overrides under `deployments`.
"""

from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator

from serve_app.settings import patterns
from serve_app.settings.errors import SettingsError, explain
from serve_app.settings.filters import check_filters
from serve_app.settings.model import Settings, VersionPair

GENERATE = "generate"
"""As `not_found`: the model answers without documents."""
PLACES = ("{documents}", "{question}")
"""What a prompt template has to have."""


class Service(Settings):
    """A service of the stack that a pipeline calls over HTTP."""

    url: str = Field(pattern=r"^https?://[^\s/?#@]+$")
    token_file: str = ""
    """File with the token that it wants; empty: none."""


class Store(Settings):
    """The vector store that is searched."""

    id: str = Field(min_length=1)
    team: str = ""
    """Whose it is; empty: everybody's."""


class Asked(Settings):
    """A model that the pipeline asks."""

    model: str = Field(pattern=patterns.ROUTE)
    application: str = ""
    """Its Serve application in the same cluster, asked by handle; empty: it is asked through the gateway."""


class Tracing(Settings):
    """Where spans go."""

    endpoint: str = Field(pattern=patterns.URL)
    sample: float = Field(default=0.1, ge=0, le=1)
    """Share of the requests that are traced where nobody before has decided."""


class PipelineSettings(Settings):
    """What pipelines of every kind have."""

    pipeline_id: str = Field(pattern=patterns.MODEL_ID)

    @classmethod
    def parse(cls, args: dict[str, Any]) -> Self:
        """Reads the args; what cannot work is one sentence that begins with the pipeline's id."""
        try:
            return cls.model_validate(args)
        except ValidationError as error:
            raise SettingsError(f"pipeline {args.get('pipeline_id')!r}: {explain(error, cls)}") from None


class RagSettings(PipelineSettings):
    """A pipeline that finds documents and has a model answer from them."""

    kind: Literal["rag"] = "rag"
    data: Service
    gateway: Service
    store: Store
    embed: Asked
    rerank: Asked | None = None
    generate: str = Field(pattern=patterns.ROUTE)
    query_prefix: str = ""
    """What the embedding model wants before a question, such as `query: `."""
    top_k: int = Field(default=20, ge=1, le=50)
    keep: int = Field(default=5, ge=1, le=50)
    min_score: float = Field(default=0, ge=0, le=1)
    context_characters: int = Field(default=12_000, ge=100)
    filters: dict[str, Any] = Field(default_factory=dict)
    hybrid: bool = False
    prompt: str
    not_found: str = Field(min_length=1)
    wait_seconds: float = Field(default=300, gt=0, le=3600)
    """How long the search for documents may take, the start of a sleeping model included."""
    tracing: Tracing | None = None
    versions: VersionPair

    @field_validator("prompt")
    @classmethod
    def _prompt_has_its_places(cls, prompt: str) -> str:
        for place in PLACES:
            if place not in prompt:
                raise ValueError(f"prompt has no {place}, say where it goes")
        return prompt

    @field_validator("filters")
    @classmethod
    def _filters_are_known(cls, filters: dict[str, Any]) -> dict[str, Any]:
        if filters:
            check_filters(filters, "filters")
        return filters
