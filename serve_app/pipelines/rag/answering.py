"""From a conversation to what the generating model is asked: the core that both APIs share."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from serve_app.pipelines.errors import invalid
from serve_app.pipelines.generator import Generator
from serve_app.pipelines.rag.prompt import fitting, numbered, question_of, with_documents
from serve_app.pipelines.rag.source import Query, Retrieved, Source
from serve_app.pipelines.responses_input import Message
from serve_app.pipelines.tracing import Carrier, Tracing
from serve_app.settings.pipeline import GENERATE, RagSettings

Retrieve = Callable[[Query], Awaitable[Retrieved]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A conversation whose documents have been found."""

    question: str
    sources: tuple[Source, ...]
    """Those in the prompt, by their numbers from 1."""
    messages: Sequence[Message]
    """What the generating model is asked."""
    text: str
    """The answer that needs no model, as nothing was found; empty: ask the model."""
    tokens: int
    """What finding the documents took."""


class Answering:
    """Answers conversations from documents."""

    def __init__(self, settings: RagSettings, *, retrieve: Retrieve, generator: Generator, tracing: Tracing) -> None:
        """Joins the parts.

        Args:
            settings: The pipeline's.
            retrieve: Finds documents.
            generator: Asks the generating model.
            tracing: Makes spans.
        """
        self.settings = settings
        self.generator = generator
        self.tracing = tracing
        self._retrieve = retrieve

    async def prepare(self, messages: Sequence[Message], trace: Carrier, query: Query | None = None) -> Prepared:
        """Finds documents for the user's last message.

        Args:
            messages: The conversation.
            trace: The context of the request's span.
            query: What the request narrows down; its text and trace are not read.

        Raises:
            ApiError: 400 for a conversation without a question, 503 where a part is away.
        """
        settings, question = self.settings, question_of(messages)
        retrieved = await self._retrieve(replace(query or Query(""), text=question, trace=trace))
        sources = fitting(retrieved.sources, settings.context_characters)
        if sources:
            asked: Sequence[Message] = with_documents(messages, settings.prompt, numbered(sources))
            return Prepared(question, sources, asked, "", retrieved.tokens)
        text = "" if settings.not_found == GENERATE else settings.not_found
        return Prepared(question, (), messages, text, retrieved.tokens)

    @property
    def name(self) -> str:
        """The pipeline's name, which its answers have as their model."""
        return self.settings.pipeline_id


def checked_messages(messages: Any) -> list[Message]:  # noqa: ANN401 - what a client sends may be anything
    """A request's messages.

    Raises:
        ApiError: 400 if they are no list of objects.
    """
    if not isinstance(messages, list) or not messages or not all(isinstance(each, dict) for each in messages):
        raise invalid("messages is no list of messages, write it as [{role, content}]", "messages")
    return messages
