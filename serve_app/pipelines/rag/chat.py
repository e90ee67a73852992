"""`/v1/chat/completions`: the generating model's own completion, under the pipeline's name and with citations."""

import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from serve_app.pipelines.errors import ApiError
from serve_app.pipelines.generator import Chunks
from serve_app.pipelines.rag.answering import Answering, Prepared, checked_messages
from serve_app.pipelines.rag.citations import citations
from serve_app.pipelines.sse import END, event
from serve_app.pipelines.tracing import Carrier
from serve_app.pipelines.usage import with_retrieval

LONGEST_TEXT = 256 * 1024
"""Characters of an answer in which citations are looked for."""


async def prepare(answering: Answering, request: dict[str, Any], trace: Carrier) -> tuple[Prepared, dict[str, Any]]:
    """Finds documents for a request.

    Returns:
        What was found, and the request that goes on to the generating model.
    """
    prepared = await answering.prepare(checked_messages(request.get("messages")), trace)
    return prepared, {**request, "messages": list(prepared.messages)}


async def whole(answering: Answering, request: dict[str, Any], trace: Carrier) -> dict[str, Any]:
    """A completion.

    Raises:
        ApiError: Of a part.
    """
    prepared, asked = await prepare(answering, request, trace)
    if prepared.text:
        completion = _canned(prepared.text)
    else:
        with answering.tracing.span("generate", trace) as span:
            completion = await answering.generator.whole(asked, span.carrier)
    for choice in completion.get("choices") or ():
        message = choice.get("message") or {}
        message["annotations"] = _annotations(message.get("content") or "", prepared)
    usage = with_retrieval(completion.get("usage"), prepared.tokens)
    return {**completion, "model": answering.name, "usage": usage, "sources": _sources(prepared)}


async def streamed(answering: Answering, request: dict[str, Any], trace: Carrier) -> AsyncGenerator[bytes, None]:
    """The events of a completion; the first comes once the generating model has answered: before, errors have a status.

    Raises:
        ApiError: Of a part, before the first event.
    """
    prepared, asked = await prepare(answering, request, trace)
    options = request.get("stream_options") or {}
    stream = ChatStream(answering.name, prepared, usage=bool(options.get("include_usage")))
    if prepared.text:
        async for piece in stream.events(canned_chunks(prepared.text)):
            yield piece
        return
    with answering.tracing.span("generate", trace) as span:
        async with answering.generator.stream(asked, span.carrier) as chunks, aclosing(stream.events(chunks)) as pieces:
            async for piece in pieces:
                yield piece


class ChatStream:
    """Makes the pipeline's chunks of the generating model's."""

    def __init__(self, name: str, prepared: Prepared, *, usage: bool) -> None:
        """Begins.

        Args:
            name: The pipeline's.
            prepared: What was found.
            usage: Whether the client wants the total at the end.
        """
        self._name = name
        self._prepared = prepared
        self._usage = usage
        self._begun = False
        self._texts: dict[int, str] = {}

    async def events(self, chunks: Chunks) -> AsyncGenerator[bytes, None]:
        """All of them; an error after the first is an event too."""
        try:
            async for chunk in chunks:
                if "error" in chunk:
                    yield event(chunk)
                    return
                if chunk.get("choices") or self._usage:
                    yield self.event(chunk)
        except ApiError as error:
            if not self._begun:
                raise
            yield event(error.body())
            return
        yield END

    def event(self, chunk: dict[str, Any]) -> bytes:
        """One chunk, with the sources in the first and citations where a choice ends."""
        changed = {**chunk, "model": self._name}
        if chunk.get("usage"):
            changed["usage"] = with_retrieval(chunk["usage"], self._prepared.tokens)
        if not self._begun:
            self._begun = True
            changed["sources"] = _sources(self._prepared)
        for choice in changed.get("choices") or ():
            self._annotate(choice)
        return event(changed)

    def _annotate(self, choice: dict[str, Any]) -> None:
        number, delta = int(choice.get("index") or 0), choice.get("delta") or {}
        text = self._texts.get(number, "")
        if len(text) < LONGEST_TEXT:
            text = self._texts[number] = text + (delta.get("content") or "")
        if choice.get("finish_reason"):
            choice["delta"] = {**delta, "annotations": _annotations(text, self._prepared)}


def _annotations(text: str, prepared: Prepared) -> list[dict[str, Any]]:
    return [citation.as_url_citation() for citation in citations(text, prepared.sources)]


def _sources(prepared: Prepared) -> list[dict[str, Any]]:
    return [source.shown(number) for number, source in enumerate(prepared.sources, 1)]


def _head(kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time())}


def _canned(text: str) -> dict[str, Any]:
    """A completion that no model made."""
    message = {"role": "assistant", "content": text}
    return {**_head("chat.completion"), "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


async def canned_chunks(text: str) -> Chunks:
    """The chunks of a completion that no model made."""
    head = _head("chat.completion.chunk")
    delta = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 0, "completion_tokens": 0}
    yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield {**head, "choices": [], "usage": usage}
