"""A request of `/v1/responses`, as the chat completion that it asks for and the search that it narrows down."""

from dataclasses import dataclass
from typing import Any

from serve_app.pipelines.errors import invalid
from serve_app.pipelines.rag.prompt import Message
from serve_app.pipelines.rag.source import Query
from serve_app.settings.errors import SettingsError
from serve_app.settings.filters import check_filters

RESULTS = "file_search_call.results"
_TOOL = "file_search"
_PASSED = ("temperature", "top_p", "user", "seed")
_LEFT_OUT = ("file_search_call", "reasoning")
"""Items of earlier answers that clients send back, and that say nothing to the generating model."""


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
        if body.get("background"):
            raise invalid("background is true, but a pipeline answers at once, leave it out", "background")
        if body.get("previous_response_id"):
            message = "previous_response_id is set, but a pipeline keeps no responses, send the conversation in input"
            raise invalid(message, "previous_response_id")
        options = {name: body[name] for name in _PASSED if body.get(name) is not None}
        if body.get("max_output_tokens") is not None:
            options["max_completion_tokens"] = body["max_output_tokens"]
        if (form := _format(body)) is not None:
            options["response_format"] = form
        echoed = {"instructions": body.get("instructions"), "metadata": body.get("metadata") or {}}
        echoed |= {"temperature": body.get("temperature"), "top_p": body.get("top_p")}
        echoed |= {"max_output_tokens": body.get("max_output_tokens"), "tools": body.get("tools") or []}
        return cls(_messages(body), options, _query(body, store), echoed, RESULTS in (body.get("include") or ()))


def _messages(body: dict[str, Any]) -> list[Message]:
    given = body.get("input")
    messages: list[Message] = []
    if isinstance(instructions := body.get("instructions"), str) and instructions:
        messages.append({"role": "system", "content": instructions})
    if isinstance(given, str):
        return [*messages, {"role": "user", "content": given}]
    if not isinstance(given, list):
        raise invalid("input is neither a text nor a list of messages", "input")
    for place, item in enumerate(given):
        kind = item.get("type", "message") if isinstance(item, dict) else None
        if kind == "message" and isinstance(item.get("role"), str):
            messages.append({"role": item["role"], "content": _content(item.get("content"), place)})
        elif kind not in _LEFT_OUT:
            raise invalid(f"input.{place} is of type {kind!r}, but a pipeline takes messages only", "input")
    return messages


def _content(content: Any, place: int) -> Any:  # noqa: ANN401 - as a message of either API has it
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise invalid(f"input.{place}.content is neither a text nor a list of parts", "input")
    parts: list[dict[str, Any]] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("input_text", "output_text", "text"):
            parts.append({"type": "text", "text": str(part.get("text", ""))})
        elif kind == "input_image" and isinstance(part.get("image_url"), str):
            parts.append({"type": "image_url", "image_url": {"url": part["image_url"]}})
        else:
            raise invalid(f"input.{place}.content has a part of type {kind!r}, use input_text", "input")
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


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


def _format(body: dict[str, Any]) -> dict[str, Any] | None:
    """The response format of a chat completion; None for plain text."""
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema":
        return {"type": "json_schema", "json_schema": {name: form[name] for name in form if name != "type"}}
    return {"type": "json_object"} if form.get("type") == "json_object" else None
