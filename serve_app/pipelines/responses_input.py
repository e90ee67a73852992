"""A request of `/v1/responses` as the chat completion that it asks for."""

from typing import Any

from serve_app.pipelines.errors import invalid

Message = dict[str, Any]
_PASSED = ("temperature", "top_p", "user", "seed")
_LEFT_OUT = ("file_search_call", "mcp_call", "reasoning")
"""Items of earlier answers that clients send back, and that say nothing to the generating model."""


def options_of(body: dict[str, Any]) -> dict[str, Any]:
    """Fields of the chat completion beside its messages.

    Raises:
        ApiError: 400 for an answer in the background.
    """
    if body.get("background"):
        raise invalid("background is true, but a pipeline answers at once, leave it out", "background")
    options = {name: body[name] for name in _PASSED if body.get(name) is not None}
    if body.get("max_output_tokens") is not None:
        options["max_completion_tokens"] = body["max_output_tokens"]
    if (form := _format(body)) is not None:
        options["response_format"] = form
    return options


def echoed_of(body: dict[str, Any]) -> dict[str, Any]:
    """Fields of the request that a response repeats."""
    return {
        "instructions": body.get("instructions"),
        "metadata": body.get("metadata") or {},
        "temperature": body.get("temperature"),
        "top_p": body.get("top_p"),
        "max_output_tokens": body.get("max_output_tokens"),
        "tools": body.get("tools") or [],
    }


def messages_of(body: dict[str, Any]) -> list[Message]:
    """The messages of `instructions` and `input`.

    Raises:
        ApiError: 400 for what a pipeline cannot read.
    """
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


def _format(body: dict[str, Any]) -> dict[str, Any] | None:
    """The response format of a chat completion; None for plain text."""
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema":
        return {"type": "json_schema", "json_schema": {name: form[name] for name in form if name != "type"}}
    return {"type": "json_object"} if form.get("type") == "json_object" else None
