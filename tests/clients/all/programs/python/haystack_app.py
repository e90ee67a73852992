"""haystack: its chat generators over both of OpenAI's APIs."""

import os
from typing import Any

from haystack.components.generators.chat import OpenAIChatGenerator, OpenAIResponsesChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function
from haystack.utils import Secret
from report import ENOUGH, LONG, OPENAI, QUESTION, Place, error, show, weather

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"


class EnoughError(Exception):
    """The reader has had enough."""


def report(kind: Any, limit: str) -> dict[str, Any]:
    def ask(text: str = QUESTION, name: str = "sparrow", key: str = OPENAI["api_key"], **more: Any) -> ChatMessage:
        settings = {"temperature": 0, limit: 200} | more.pop("generation_kwargs", {})
        place = {"api_base_url": OPENAI["base_url"], "api_key": Secret.from_token(key), "max_retries": 0}
        generator = kind(model=name, generation_kwargs=settings, **place, **more)
        return generator.run([ChatMessage.from_user(text)])["replies"][0]

    stream: list[str] = []
    ask(streaming_callback=lambda chunk: stream.append(chunk.content))
    read: list[str] = []

    def read_some(chunk: Any) -> None:
        if chunk.content:
            read.append(chunk.content)
        if len(read) == ENOUGH:
            raise EnoughError

    endless = {limit: 2000, "extra_body": {"ignore_eos": True}}
    error(lambda: ask(generation_kwargs=endless, streaming_callback=read_some))
    answer = ask()
    usage = answer.meta["usage"]
    found = {
        "plain": answer.text,
        "usage": [
            usage.get("prompt_tokens", usage.get("input_tokens")),
            usage.get("completion_tokens", usage.get("output_tokens")),
        ],
        "stream": [piece for piece in stream if piece],
        "left": len(read),
        "unknown model": error(lambda: ask(name="swan")),
        "bad key": error(lambda: ask(key="wrong")),
        "too long": error(lambda: ask(LONG)),
    }
    if kind is OpenAIChatGenerator:
        found["structured"] = Place.model_validate_json(
            ask(generation_kwargs={"response_format": Place}).text
        ).model_dump()
        named = {"tool_choice": {"type": "function", "function": {"name": "weather"}}}
        call = ask(tools=[create_tool_from_function(weather)], generation_kwargs=named).tool_call
        found["tool"] = {"name": call.tool_name, "args": call.arguments}
    return found


show(
    {
        "chat": report(OpenAIChatGenerator, "max_completion_tokens"),
        "responses": report(OpenAIResponsesChatGenerator, "max_output_tokens"),
    }
)
