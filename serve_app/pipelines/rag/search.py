"""The data component's search: https://platform.openai.com/docs/api-reference/vector-stores/search with a vector."""

from collections.abc import Mapping, Sequence
from typing import Any

from serve_app.pipelines.errors import away
from serve_app.pipelines.rag.source import Source
from serve_app.pipelines.service import ServiceClient
from serve_app.pipelines.tracing import Carrier
from serve_app.settings.pipeline import Store

AWAY = "store_unavailable"
LONGEST_QUERY = 32768
"""Characters of a query's words, as the API has it; the vector is of as much as the embedding model reads."""


class StoreSearch:
    """Searches one vector store."""

    def __init__(self, client: ServiceClient, store: Store, *, hybrid: bool) -> None:
        """Begins.

        Args:
            client: The data component.
            store: The store.
            hybrid: Whether words count beside meaning, where the store can tell.
        """
        self._client = client
        self._store = store
        self._hybrid = hybrid

    async def __call__(
        self,
        question: str,
        vector: Sequence[float],
        *,
        most: int,
        min_score: float,
        filters: Mapping[str, Any] | None,
        trace: Carrier,
    ) -> list[Source]:
        """The parts of documents that are nearest to a question, best first.

        Args:
            question: Its text.
            vector: Its vector.
            most: How many at most.
            min_score: What none may score less than; 0 to 1.
            filters: What their attributes have to be.
            trace: The context of the span.

        Raises:
            ApiError: 503 if the store is away, and what else the data component refuses.
        """
        body: dict[str, Any] = {
            "query": question[:LONGEST_QUERY],
            "query_vector": list(vector),
            "max_num_results": most,
        }
        body["ranking_options"] = {"score_threshold": min_score}
        if filters:
            body["filters"] = dict(filters)
        if self._hybrid:
            body["ranking_options"]["hybrid_search"] = {}
        team = {"x-gateway-team": self._store.team} if self._store.team else {}
        async with self._client.post(f"/v1/vector_stores/{self._store.id}/search", body, {**trace, **team}) as answer:
            try:
                page = await answer.json()
                return [_source(each) for each in page["data"]]
            except (ValueError, KeyError, TypeError) as error:
                raise away("The store of documents answered in a form that is not known.", AWAY) from error


def _source(found: dict[str, Any]) -> Source:
    text = "\n".join(part["text"] for part in found["content"] if part.get("type") == "text")
    return Source(found["file_id"], found["filename"], float(found["score"]), text, found.get("attributes") or {})
