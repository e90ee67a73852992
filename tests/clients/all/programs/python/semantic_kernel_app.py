"""semantic-kernel: its chat service over OpenAI's API, and a plugin as a tool."""

import asyncio
import json
from enum import StrEnum
from typing import Annotated, Any

from openai import AsyncOpenAI
from report import ENOUGH, LONG, ONE_CALL, OPENAI, QUESTION, Place, async_error, show
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory
from semantic_kernel.functions import kernel_function


class City(StrEnum):
    """Cities, as the kernel finds them in a signature."""

    ROME = "Rome"
    OSLO = "Oslo"


class Sky:
    """A plugin."""

    @kernel_function(name="weather", description="Says what the weather is like.")
    def weather(self, city: Annotated[City, "Where."]) -> str:
        return f"rain in {city}"


def service(name: str = "sparrow", key: str = OPENAI["api_key"]) -> OpenAIChatCompletion:
    return OpenAIChatCompletion(name, async_client=AsyncOpenAI(**OPENAI | {"api_key": key}, max_retries=0))


def said(text: str) -> ChatHistory:
    history = ChatHistory()
    history.add_user_message(text)
    return history


def settings(**more: Any) -> OpenAIChatPromptExecutionSettings:
    return OpenAIChatPromptExecutionSettings(**{"temperature": 0, "max_tokens": 200} | more)


async def streamed(enough: int | None = None, **more: Any) -> list[str]:
    found: list[str] = []
    stream = service().get_streaming_chat_message_content(said(QUESTION), settings(**more))
    async for piece in stream:
        if piece and str(piece):
            found.append(str(piece))
        if len(found) == enough:
            break
    await stream.aclose()
    return found


async def main() -> None:
    (answer,) = await service().get_chat_message_contents(said(QUESTION), settings())
    (structured,) = await service().get_chat_message_contents(said(QUESTION), settings(response_format=Place))
    kernel = Kernel()
    kernel.add_plugin(Sky(), "sky")
    named = settings(function_choice_behavior=FunctionChoiceBehavior.Required(auto_invoke=False), logit_bias=ONE_CALL)
    (calling,) = await service().get_chat_message_contents(said(QUESTION), named, kernel=kernel)
    call = calling.items[0]
    usage = answer.metadata["usage"]
    show(
        {
            "chat": {
                "plain": str(answer),
                "usage": [usage.prompt_tokens, usage.completion_tokens],
                "stream": await streamed(),
                "structured": Place.model_validate_json(str(structured)).model_dump(),
                "tool": {"name": call.function_name, "args": json.loads(call.arguments)},
                "unknown model": await async_error(
                    service("swan").get_chat_message_contents(said(QUESTION), settings())
                ),
                "bad key": await async_error(
                    service(key="wrong").get_chat_message_contents(said(QUESTION), settings())
                ),
                "too long": await async_error(service().get_chat_message_contents(said(LONG), settings())),
                "left": len(await streamed(ENOUGH, max_tokens=2000, extra_body={"ignore_eos": True})),
            }
        }
    )


asyncio.run(main())
