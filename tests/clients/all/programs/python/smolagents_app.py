"""smolagents: its model for servers of OpenAI's API."""

from typing import Any

from report import LONG, OPENAI, QUESTION, Place, error, left, pieces, show
from smolagents import ChatMessage, OpenAIModel, tool


@tool
def weather(city: str) -> str:
    """Says what the weather is like.

    Args:
        city: Where.
    """
    return f"rain in {city}"


weather.inputs["city"]["enum"] = ["Rome", "Oslo"]


def model(name: str = "sparrow", key: str = OPENAI["api_key"], **more: Any) -> OpenAIModel:
    place = {"api_base": OPENAI["base_url"], "api_key": key, "client_kwargs": {"max_retries": 0}}
    return OpenAIModel(name, **place, **{"temperature": 0, "max_tokens": 200} | more)


def said(text: str) -> list[ChatMessage]:
    return [ChatMessage(role="user", content=text)]


SCHEMA = {"type": "json_schema", "json_schema": {"name": "place", "schema": Place.model_json_schema()}}
answer = model().generate(said(QUESTION))
named = {"type": "function", "function": {"name": "weather"}}
call = model(tool_choice=named).generate(said(QUESTION), tools_to_call_from=[weather]).tool_calls[0].function
structured = model().generate(said(QUESTION), response_format=SCHEMA).content
endless = model(max_tokens=2000, extra_body={"ignore_eos": True}).generate_stream(said(QUESTION))
show(
    {
        "chat": {
            "plain": answer.content,
            "usage": [answer.token_usage.input_tokens, answer.token_usage.output_tokens],
            "stream": pieces(chunk.content for chunk in model().generate_stream(said(QUESTION))),
            "tool": {"name": call.name, "args": Place.model_validate_json(call.arguments).model_dump()},
            "structured": Place.model_validate_json(structured).model_dump(),
            "unknown model": error(lambda: model("swan").generate(said(QUESTION))),
            "bad key": error(lambda: model(key="wrong").generate(said(QUESTION))),
            "too long": error(lambda: model().generate(said(LONG))),
            "left": left(chunk.content for chunk in endless),
        }
    }
)
