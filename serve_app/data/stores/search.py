"""Search in a vector store: by vectors, and by words too where that is asked."""

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from sqlalchemy import Row

from serve_app.data.caller import Caller
from serve_app.data.embedder import Embedder, EmbedError
from serve_app.data.errors import ApiError
from serve_app.data.metrics import Metrics
from serve_app.data.stores.documents import Documents
from serve_app.data.stores.schemas import Content, HybridWeights, SearchPage, SearchRequest, SearchResult
from serve_app.data.vectors import Hit, VectorIndex

_FUSION = 60
"""Of reciprocal rank fusion, as its paper has it."""


class Search:
    """Answers searches."""

    def __init__(self, index: VectorIndex, documents: Documents, embedder: Embedder, metrics: Metrics) -> None:
        self._index = index
        self._documents = documents
        self._embedder = embedder
        self._metrics = metrics

    async def __call__(self, caller: Caller, store: Row[Any], asked: SearchRequest) -> SearchPage:
        """The best parts of a store's documents.

        Raises:
            ApiError: 400, the vector is not of the store's model, or there are several queries for one vector; as the
                gateway answers, the query could not be embedded.
            StoreAwayError: The vectors cannot be reached.
        """
        queries = [asked.query] if isinstance(asked.query, str) else asked.query
        if store.dimensions is None:  # nothing was ever embedded
            return SearchPage(search_query=queries, data=[])
        vectors = await self._vectors(caller, store, asked, queries)
        start = time.perf_counter()
        hits: dict[tuple[str, int], Hit] = {}
        for query, vector in zip(queries, vectors, strict=True):
            for hit in await self._one(store.id, query, vector, asked):
                place = hit.file_id, hit.position
                if place not in hits or hits[place].score < hit.score:
                    hits[place] = hit
        there = await self._documents.several(store.id, {hit.file_id for hit in hits.values()})
        self._metrics.search_seconds.labels(self._index.kind).observe(time.perf_counter() - start)
        best = sorted((hit for hit in hits.values() if hit.file_id in there), key=lambda hit: -hit.score)
        results = [_shown(hit, there[hit.file_id]) for hit in best]
        threshold = asked.ranking_options.score_threshold
        kept = [result for result in results if result.score >= threshold]
        return SearchPage(search_query=queries, data=kept[: asked.max_num_results])

    async def _vectors(
        self, caller: Caller, store: Row[Any], asked: SearchRequest, queries: list[str]
    ) -> Sequence[Sequence[float]]:
        if asked.query_vector is None:
            try:
                return await self._embedder(store.embed, queries, caller, background=False)
            except EmbedError as error:
                raise error.told() from error
        if len(queries) != 1:
            message = "query_vector: is one vector, but there are several queries, send one."
            raise ApiError(HTTPStatus.BAD_REQUEST, message, param="query_vector")
        if len(asked.query_vector) != store.dimensions:
            message = (
                f"query_vector: has {len(asked.query_vector)} numbers, but the store's model {store.embed!r} makes "
                f"{store.dimensions}, embed the query with that model."
            )
            raise ApiError(HTTPStatus.BAD_REQUEST, message, param="query_vector")
        return [asked.query_vector]

    async def _one(self, store_id: str, query: str, vector: Sequence[float], asked: SearchRequest) -> list[Hit]:
        # Twice as many, since parts of files that are just leaving are found too.
        most = asked.max_num_results * 2
        near = await self._index.search(store_id, vector, most, asked.filters)
        weights = asked.ranking_options.hybrid_search
        if weights is None:
            return [hit._replace(score=min(1.0, max(0.0, hit.score))) for hit in near]
        worded = await self._index.search_words(store_id, query, most, asked.filters)
        return fused(near, worded, weights)


def fused(near: Sequence[Hit], worded: Sequence[Hit], weights: HybridWeights) -> list[Hit]:
    """Two orders as one, by reciprocal rank fusion; the score is the share of what the first of both would have."""
    total = weights.embedding_weight + weights.text_weight
    if not total:
        message = "ranking_options.hybrid_search: both weights are 0, raise one of them."
        raise ApiError(HTTPStatus.BAD_REQUEST, message, param="ranking_options")
    scores: dict[tuple[str, int], float] = {}
    hits: dict[tuple[str, int], Hit] = {}
    for order, weight in ((near, weights.embedding_weight), (worded, weights.text_weight)):
        for rank, hit in enumerate(order):
            place = hit.file_id, hit.position
            hits.setdefault(place, hit)
            scores[place] = scores.get(place, 0) + weight / total * (_FUSION + 1) / (_FUSION + 1 + rank)
    return [hit._replace(score=scores[place]) for place, hit in hits.items()]


def _shown(hit: Hit, row: Row[Any]) -> SearchResult:
    return SearchResult(
        file_id=hit.file_id,
        filename=row.filename,
        score=hit.score,
        attributes=row.attributes,
        content=[Content(text=hit.text)],
        chunk_index=hit.position,
    )
