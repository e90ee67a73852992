"""A request of `/v1/responses`, as the chat completion that it asks for and the search that it narrows down."""

from dataclasses import dataclass
from typing import Any

from serve_app.pipelines.errors import invalid
from serve_app.pipelines.rag.source import Query
from serve_app.pipelines.responses_input import Message, echoed_of, messages_of, options_of
from serve_app.settings.errors import SettingsError
from serve_app.settings.filters import check_filters

RESULTS = "file_search_call.results"
_TOOL = "file_search"


@dataclass(frozen=True, slots=True)
class ResponsesRequest:
    """What a client asks for."""

    messages: list[Message]
    options: dict[str, Any]
    """Fields of the chat completion beside its messages."""
    query: Query
    echoed: dict[str, Any]
    """Fields of the request that a response repeats."""
    results: bool
    """Whether the response shows what was found."""

    @classmethod
    def of(cls, body: dict[str, Any], store: str) -> "ResponsesRequest":
        """Reads a request.

        Args:
            body: Its JSON.
            store: The pipeline's vector store, the only one that it may name.

        Raises:
            ApiError: 400 for what a pipeline cannot do.
        """
        if body.get("previous_response_id"):
            message = "previous_response_id is set, but a pipeline keeps no responses, send the conversation in input"
            raise invalid(message, "previous_response_id")
        results = RESULTS in (body.get("include") or ())
        return cls(messages_of(body), options_of(body), _query(body, store), echoed_of(body), results)


def _query(body: dict[str, Any], store: str) -> Query:
    tools = body.get("tools") or []
    if not isinstance(tools, list) or any(not isinstance(tool, dict) or tool.get("type") != _TOOL for tool in tools):
        raise invalid(f"tools has another tool than {_TOOL}, which is the only one of a pipeline", "tools")
    if len(tools) > 1:
        raise invalid(f"tools has {_TOOL} {len(tools)} times, name it once", "tools")
    if not tools:
        return Query("")
    tool = tools[0]
    if others := [each for each in tool.get("vector_store_ids") or () if each != store]:
        raise invalid(f"tools.0.vector_store_ids names {others[0]!r}, but this pipeline searches {store!r}", "tools")
    keep, ranking = tool.get("max_num_results"), tool.get("ranking_options") or {}
    if keep is not None and not (isinstance(keep, int) and 1 <= keep <= 50):
        raise invalid(f"tools.0.max_num_results is {keep!r}, use a number from 1 to 50", "tools")
    least = ranking.get("score_threshold") if isinstance(ranking, dict) else None
    if least is not None and not (isinstance(least, int | float) and 0 <= least <= 1):
        raise invalid(f"tools.0.ranking_options.score_threshold is {least!r}, use a number from 0 to 1", "tools")
    if filters := tool.get("filters"):
        try:
            check_filters(filters, "tools.0.filters")
        except SettingsError as error:
            raise invalid(str(error), "tools") from None
    return Query("", filters or None, keep, least)
