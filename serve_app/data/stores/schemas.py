"""The vector stores' part of the API, as OpenAI has it; what is ours beyond that says so."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from serve_app.data.vectors.filters import Filter, Key, Scalar

FileId = Annotated[str, StringConstraints(pattern=r"^file-[a-z0-9]{24}$")]
Metadata = Annotated[dict[Key, Annotated[str, StringConstraints(max_length=512)]], Field(max_length=16)]
Attributes = Annotated[dict[Key, Scalar], Field(max_length=16)]
MOST_DIMENSIONS = 16384


class Request(BaseModel):
    """A request's body: closed, so that a misspelt field is told."""

    model_config = ConfigDict(extra="forbid")


class StaticChunking(Request):
    """How documents are split: in tokens of OpenAI's cl100k_base."""

    max_chunk_size_tokens: int = Field(ge=16, le=4096)
    chunk_overlap_tokens: int = Field(ge=0, le=2048)


class ChunkingStrategy(Request):
    """OpenAI's `chunking_strategy`: `auto` is the store's own."""

    type: Literal["auto", "static"]
    static: StaticChunking | None = None


class ExpiresAfter(Request):
    """When a store goes by itself, counted from its last use."""

    anchor: Literal["last_active_at"]
    days: int = Field(ge=1, le=365)


class CreateStore(Request):
    """POST /v1/vector_stores."""

    name: Annotated[str, StringConstraints(max_length=256)] = ""
    description: Annotated[str, StringConstraints(max_length=512)] | None = None
    file_ids: Annotated[list[FileId], Field(max_length=500)] = []
    chunking_strategy: ChunkingStrategy | None = None
    expires_after: ExpiresAfter | None = None
    metadata: Metadata | None = None
    embedding_model: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Ours: the model or route that embeds; `data.embed` if not set."""


class UpdateStore(Request):
    """POST /v1/vector_stores/{id}: what is not set stays."""

    name: Annotated[str, StringConstraints(max_length=256)] | None = None
    expires_after: ExpiresAfter | None = None
    metadata: Metadata | None = None


class AddFile(Request):
    """POST /v1/vector_stores/{id}/files, and one of a batch's `files`."""

    file_id: FileId
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class UpdateFile(Request):
    """POST /v1/vector_stores/{id}/files/{file_id}."""

    attributes: Attributes | None


class AddFiles(Request):
    """POST /v1/vector_stores/{id}/file_batches: either `file_ids`, which share the rest, or `files`."""

    file_ids: Annotated[list[FileId], Field(min_length=1, max_length=500)] | None = None
    files: Annotated[list[AddFile], Field(min_length=1, max_length=500)] | None = None
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class HybridWeights(Request):
    """How much the vectors' order and the words' order count, in reciprocal rank fusion."""

    embedding_weight: float = Field(default=1, ge=0, le=100)
    text_weight: float = Field(default=1, ge=0, le=100)


class RankingOptions(Request):
    """OpenAI's `ranking_options`."""

    ranker: Literal["auto", "default-2024-11-15", "none"] = "auto"
    """Named for OpenAI's clients; documents come in the store's own order, and pipelines rerank."""
    score_threshold: float = Field(default=0, ge=0, le=1)
    hybrid_search: HybridWeights | None = None


class SearchRequest(Request):
    """POST /v1/vector_stores/{id}/search."""

    query: (
        Annotated[str, StringConstraints(min_length=1, max_length=32768)]
        | Annotated[
            list[Annotated[str, StringConstraints(min_length=1, max_length=32768)]], Field(min_length=1, max_length=16)
        ]
    )
    filters: Filter | None = None
    max_num_results: int = Field(default=10, ge=1, le=50)
    ranking_options: RankingOptions = RankingOptions()
    rewrite_query: bool = False
    query_vector: Annotated[list[float], Field(min_length=1, max_length=MOST_DIMENSIONS)] | None = None
    """Ours: the query as the store's model embeds it, where the caller has it; `query` is then only its words."""

    @field_validator("rewrite_query")
    @classmethod
    def _is_not_rewritten(cls, value: bool) -> bool:
        if value:
            raise ValueError("no query is rewritten here, leave it out")
        return value


class Content(BaseModel):
    """A part of a document."""

    type: Literal["text"] = "text"
    text: str


class SearchResult(BaseModel):
    """One part of a document that was found."""

    file_id: str
    filename: str
    score: float
    """0 to 1: the cosine, below 0 taken for 0. With `hybrid_search`: the share of the best fused rank there can be."""
    attributes: dict[str, Any] | None
    content: list[Content]
    chunk_index: int
    """Ours: which part of the document it is, from 0."""


class SearchPage(BaseModel):
    """OpenAI's `vector_store.search_results.page`: the best first, and no further page."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[SearchResult]
    has_more: bool = False
    next_page: None = None
