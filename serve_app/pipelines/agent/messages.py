"""A client's conversation as pydantic-ai has it, and the bytes that one is kept as."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_ai import (
    ImageUrl,
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    UserContent,
    UserPromptPart,
)

from serve_app.pipelines.errors import ApiError, invalid


@dataclass(frozen=True, slots=True)
class Conversation:
    """What an answer is asked to."""

    prompt: str | Sequence[UserContent]
    """The user's last message."""
    question: str
    """Its text."""
    history: Sequence[ModelMessage]
    instructions: str
    """Those of the client, which come after the agent's own."""


def conversation_of(messages: Sequence[dict[str, Any]], earlier: bytes = b"") -> Conversation:
    """Reads messages of chat completions.

    Args:
        messages: The request's.
        earlier: The conversation that they go on from, as it was kept.

    Raises:
        ApiError: 400 for what an agent cannot go on from.
    """
    history: list[ModelMessage] = kept(earlier)
    instructions: list[str] = []
    for place, message in enumerate(messages):
        role, content = message.get("role"), _content(message.get("content"), place)
        if role in ("system", "developer"):
            instructions.append(_text(content))
        elif role == "user":
            history.append(ModelRequest(parts=[UserPromptPart(content)]))
        elif role == "assistant" and not message.get("tool_calls"):
            history.append(ModelResponse(parts=[TextPart(_text(content))]))
        else:
            said = "has tool_calls" if role == "assistant" else f"has the role {role!r}"
            raise invalid(f"messages.{place} {said}, but an agent's tools are its own, leave it out", "messages")
    last = history.pop() if history else None
    part = last.parts[0] if isinstance(last, ModelRequest) and messages else None
    if not isinstance(part, UserPromptPart) or not _text(part.content).strip():
        raise invalid("messages has no text of the user at its end, ask a question", "messages")
    return Conversation(part.content, _text(part.content), history, "\n\n".join(instructions))


def kept(earlier: bytes) -> list[ModelMessage]:
    """A conversation that was kept.

    Raises:
        ApiError: 404 if another version of the agent has kept it.
    """
    if not earlier:
        return []
    try:
        return list(ModelMessagesTypeAdapter.validate_json(earlier))
    except ValidationError:
        raise ApiError(404, "The conversation cannot be read any more, send it whole.") from None


def keeping(messages: Sequence[ModelMessage]) -> bytes:
    """The bytes that a conversation is kept as."""
    return ModelMessagesTypeAdapter.dump_json(list(messages))


def _content(content: Any, place: int) -> str | list[UserContent]:  # noqa: ANN401 - a client may send anything
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise invalid(f"messages.{place}.content is neither a text nor a list of parts", "messages")
    parts: list[UserContent] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        image = part.get("image_url") if kind == "image_url" else None
        if kind == "text" and isinstance(part.get("text"), str):
            parts.append(part["text"])
        elif isinstance(image, dict) and isinstance(image.get("url"), str):
            parts.append(ImageUrl(image["url"]))
        else:
            raise invalid(f"messages.{place}.content has a part of type {kind!r}, use text or image_url", "messages")
    return parts


def _text(content: str | Sequence[UserContent]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part for part in content if isinstance(part, str))
