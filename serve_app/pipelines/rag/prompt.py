"""A conversation with the documents in it."""

import re
from collections.abc import Sequence
from typing import Any

from serve_app.pipelines.errors import invalid
from serve_app.pipelines.rag.source import Source
from serve_app.pipelines.responses_input import Message

_PLACE = re.compile(r"\{(documents|question)\}")


def question_of(messages: Sequence[Message]) -> str:
    """The text of the user's last message, which is what documents are looked for.

    Raises:
        ApiError: 400 if there is none.
    """
    for message in reversed(messages):
        if message.get("role") == "user":
            if text := _text(message.get("content")).strip():
                return text
            break
    raise invalid("messages has no text of the user at its end, ask a question", "messages")


def with_documents(messages: Sequence[Message], template: str, documents: str) -> list[Message]:
    """The conversation, with the template in place of the text of the user's last message.

    Args:
        messages: The conversation.
        template: The prompt, with `{documents}` and `{question}`.
        documents: What goes in place of the former.
    """
    question = question_of(messages)
    # one pass: what documents and questions hold in braces is theirs
    prompt = _PLACE.sub(lambda place: documents if place[1] == "documents" else question, template)
    last = max(number for number, message in enumerate(messages) if message.get("role") == "user")
    content = messages[last]["content"]
    if isinstance(content, list):
        others = [part for part in content if part.get("type") != "text"]
        changed: Any = [{"type": "text", "text": prompt}, *others]
    else:
        changed = prompt
    return [*messages[:last], {**messages[last], "content": changed}, *messages[last + 1 :]]


def fitting(sources: Sequence[Source], characters: int) -> tuple[Source, ...]:
    """The best sources that have so many characters together: the first of them cut if it alone has more."""
    kept: list[Source] = []
    left = characters
    for source in sources:
        if len(source.text) > left and kept:
            break
        kept.append(source)
        left -= len(source.text)
    if kept and len(kept[0].text) > characters:
        first = kept[0]
        kept[0] = Source(first.file_id, first.filename, first.score, first.text[:characters], first.attributes)
    return tuple(kept)


def numbered(sources: Sequence[Source]) -> str:
    """The sources as the model reads them, each under its number."""
    return "\n\n".join(f"[{number}] {source.title}\n{source.text}" for number, source in enumerate(sources, 1))


def _text(content: Any) -> str:  # noqa: ANN401 - what a client sends may be anything
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part for part in content if isinstance(part, dict) and part.get("type") == "text")
        return "\n".join(str(part.get("text", "")) for part in parts)
    return ""
