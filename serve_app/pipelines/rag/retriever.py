"""Finding documents: the question's vector, the store's search, and a reranking model's order."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from serve_app.pipelines.errors import away
from serve_app.pipelines.measures import Measures
from serve_app.pipelines.rag.models import Embedder, Scorer
from serve_app.pipelines.rag.search import StoreSearch
from serve_app.pipelines.rag.source import Query, Retrieved, Source
from serve_app.pipelines.tracing import Carrier, Span, Tracing
from serve_app.settings.filters import joined
from serve_app.settings.pipeline import RagSettings


class Retriever:
    """Finds the documents of one pipeline."""

    def __init__(
        self,
        settings: RagSettings,
        *,
        embedder: Embedder,
        search: StoreSearch,
        scorer: Scorer | None,
        tracing: Tracing,
        measures: Measures,
    ) -> None:
        """Joins the parts.

        Args:
            settings: The pipeline's.
            embedder: Makes the question's vector.
            search: Searches the store.
            scorer: Reranks; None for the store's order.
            tracing: Makes spans.
            measures: Notes times and counts.
        """
        self._settings = settings
        self._embedder = embedder
        self._search = search
        self._scorer = scorer
        self._tracing = tracing
        self._measures = measures

    async def __call__(self, query: Query) -> Retrieved:
        """The best sources for a query.

        Raises:
            ApiError: 503 if a part is away or the time is over, and what a part refuses.
        """
        seconds = self._settings.wait_seconds
        try:
            async with asyncio.timeout(seconds):
                with self._tracing.span("retrieve", query.trace) as span:
                    retrieved = await self._found(query, span.carrier)
                    span.set("pipeline.documents", len(retrieved.sources))
        except TimeoutError as error:
            message = f"No documents were found within {seconds:g} s: a model may still be starting, try again."
            raise away(message, "retrieval_timeout") from error
        self._measures.found(len(retrieved.sources))
        return retrieved

    async def _found(self, query: Query, trace: Carrier) -> Retrieved:
        settings = self._settings
        with self._part("embed", trace) as span:
            embedded = await self._embedder.embed(settings.query_prefix + query.text, span.carrier)
        self._measures.tokens("embed", embedded.tokens)
        keep = min(query.keep or settings.keep, settings.top_k)
        least = max(settings.min_score, query.min_score or 0)
        with self._part("search", trace) as span:
            sources = await self._search(
                query.text,
                embedded.vector,
                most=settings.top_k if self._scorer else keep,
                min_score=0 if self._scorer else least,
                filters=joined(settings.filters, dict(query.filters or {})),
                trace=span.carrier,
            )
        if self._scorer is None or not sources:
            return Retrieved(tuple(sources[:keep]), embedded.tokens)
        best, tokens = await self._reranked(self._scorer, query.text, sources, trace)
        kept = [source for source in best if source.score >= least]
        return Retrieved(tuple(kept[:keep]), embedded.tokens + tokens)

    async def _reranked(
        self, scorer: Scorer, question: str, sources: Sequence[Source], trace: Carrier
    ) -> tuple[list[Source], int]:
        with self._part("rerank", trace) as span:
            scored = await scorer.score(question, [source.text for source in sources], span.carrier)
        self._measures.tokens("rerank", scored.tokens)
        pairs = zip(sources, scored.scores, strict=True)
        ranked = [Source(each.file_id, each.filename, score, each.text, each.attributes) for each, score in pairs]
        return sorted(ranked, key=lambda source: -source.score), scored.tokens

    @contextmanager
    def _part(self, name: str, trace: Carrier) -> Iterator[Span]:
        began = time.perf_counter()
        try:
            with self._tracing.span(name, trace) as span:
                yield span
        finally:
            self._measures.part(name, time.perf_counter() - began)
