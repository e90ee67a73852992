"""`/v1/responses`: a response whose output is a file search and the message made of what it found."""

import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from serve_app.pipelines.errors import ApiError
from serve_app.pipelines.generator import Chunks
from serve_app.pipelines.rag.answering import Answering, Prepared
from serve_app.pipelines.rag.chat import canned_chunks
from serve_app.pipelines.rag.citations import citations
from serve_app.pipelines.rag.responses_events import ResponseEvents
from serve_app.pipelines.rag.responses_request import ResponsesRequest
from serve_app.pipelines.tracing import Carrier
from serve_app.pipelines.usage import of_responses, with_retrieval

Item = dict[str, Any]
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


async def whole(answering: Answering, body: dict[str, Any], trace: Carrier) -> dict[str, Any]:
    """A response.

    Raises:
        ApiError: Of the request, or of a part.
    """
    request = ResponsesRequest.of(body, answering.settings.store.id)
    prepared = await answering.prepare(request.messages, trace, request.query)
    draft = Draft(answering.name, request, prepared)
    if prepared.text:
        return draft.finished(prepared.text, None, "stop")
    with answering.tracing.span("generate", trace) as span:
        asked = {**request.options, "messages": list(prepared.messages)}
        completion = await answering.generator.whole(asked, span.carrier)
    choice = (completion.get("choices") or [{}])[0]
    text = (choice.get("message") or {}).get("content") or ""
    return draft.finished(text, completion.get("usage"), choice.get("finish_reason") or "stop")


async def streamed(answering: Answering, body: dict[str, Any], trace: Carrier) -> AsyncGenerator[bytes, None]:
    """The events of a response; the first comes once the generating model has answered.

    Raises:
        ApiError: Of the request, or of a part, before the first event.
    """
    request = ResponsesRequest.of(body, answering.settings.store.id)
    prepared = await answering.prepare(request.messages, trace, request.query)
    draft = Draft(answering.name, request, prepared)
    if prepared.text:
        async for piece in _events(draft, canned_chunks(prepared.text)):
            yield piece
        return
    with answering.tracing.span("generate", trace) as span:
        asked = {**request.options, "messages": list(prepared.messages)}
        async with (
            answering.generator.stream(asked, span.carrier) as chunks,
            aclosing(_events(draft, chunks)) as pieces,
        ):
            async for piece in pieces:
                yield piece


class Draft:
    """A response in the making."""

    def __init__(self, name: str, request: ResponsesRequest, prepared: Prepared) -> None:
        self._prepared = prepared
        self.message_id = f"msg_{uuid.uuid4().hex}"
        results = [_result(source.shown(number)) for number, source in enumerate(prepared.sources, 1)]
        self.search: Item = {
            "type": "file_search_call",
            "id": f"fs_{uuid.uuid4().hex}",
            "status": "completed",
            "queries": [prepared.question],
            "results": results if request.results else None,
        }
        self._head: Item = {
            "id": f"resp_{uuid.uuid4().hex}",
            "object": "response",
            "created_at": int(time.time()),
            "model": name,
            "error": None,
            "incomplete_details": None,
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "store": False,
            **request.echoed,
        }

    def begun(self) -> dict[str, Any]:
        """The response before it has an output."""
        return {**self._head, "status": "in_progress", "output": [], "usage": None}

    def message(self, text: str, status: str) -> Item:
        """The message, with its citations."""
        annotations = [citation.as_file_citation() for citation in citations(text, self._prepared.sources)]
        part = {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}
        return {"type": "message", "id": self.message_id, "status": status, "role": "assistant", "content": [part]}

    def finished(self, text: str, usage: dict[str, Any] | None, reason: str) -> dict[str, Any]:
        """The whole response.

        Args:
            text: The message's.
            usage: The generating model's; None where it was not asked.
            reason: The chat completion's `finish_reason`.
        """
        status, details = "completed", None
        if reason in _INCOMPLETE:
            status, details = "incomplete", {"reason": _INCOMPLETE[reason]}
        total = of_responses(with_retrieval(usage, self._prepared.tokens))
        output = [self.search, self.message(text, status)]
        return {**self._head, "status": status, "incomplete_details": details, "output": output, "usage": total}


async def _events(draft: Draft, chunks: Chunks) -> AsyncGenerator[bytes, None]:
    events = ResponseEvents(draft.begun(), draft.search, draft.message("", "in_progress") | {"content": []})
    text, usage, reason = "", None, "stop"
    begun = False
    try:
        async for chunk in chunks:
            if not begun:
                begun = True
                for piece in events.beginning():
                    yield piece
            if "error" in chunk:
                yield events.failed(draft.begun(), chunk["error"])
                return
            usage = chunk.get("usage") or usage
            for choice in chunk.get("choices") or ():
                reason = choice.get("finish_reason") or reason
                if piece_of_text := (choice.get("delta") or {}).get("content"):
                    text += piece_of_text
                    yield events.delta(piece_of_text)
    except ApiError as error:
        if not begun:
            raise
        yield events.failed(draft.begun(), error.body()["error"])
        return
    response = draft.finished(text, usage, reason)
    for piece in events.end(response):
        yield piece


def _result(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name != "index"}
