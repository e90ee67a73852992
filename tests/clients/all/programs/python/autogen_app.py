"""autogen: its client for servers of OpenAI's API, and an agent over it."""

import asyncio
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_core import CancellationToken
from autogen_core.models import UserMessage
from autogen_core.tools import FunctionTool
from autogen_ext.models.openai import OpenAIChatCompletionClient
from report import ENOUGH, LONG, ONE_CALL, OPENAI, QUESTION, Place, async_error, show, weather

INFO = {
    "vision": False,
    "function_calling": True,
    "json_output": True,
    "structured_output": True,
    "family": "unknown",
}


def client(name: str = "sparrow", key: str = OPENAI["api_key"], **more: Any) -> OpenAIChatCompletionClient:
    settings = {"temperature": 0, "max_tokens": 200, "max_retries": 0} | more
    return OpenAIChatCompletionClient(model=name, **OPENAI | {"api_key": key}, model_info=INFO, **settings)


def said(text: str) -> list[UserMessage]:
    return [UserMessage(content=text, source="user")]


async def streamed(enough: int | None = None, **more: Any) -> list[str]:
    found: list[str] = []
    stream = client(**more).create_stream(
        said(QUESTION), extra_create_args={"extra_body": {"ignore_eos": bool(enough)}}
    )
    async for piece in stream:
        if isinstance(piece, str):
            found.append(piece)
        if len(found) == enough:
            break
    await stream.aclose()
    return found


async def cancelled() -> str:
    token = CancellationToken()
    asking = client(max_tokens=2000).create(
        said(QUESTION), extra_create_args={"extra_body": {"ignore_eos": True}}, cancellation_token=token
    )
    asyncio.get_running_loop().call_later(0.5, token.cancel)
    try:
        await asking
    except asyncio.CancelledError:
        return "cancelled"
    return "not cancelled"


async def main() -> None:
    answer = await client().create(said(QUESTION))
    calling = await client().create(
        said(QUESTION),
        tools=[FunctionTool(weather, "Says what the weather is like.")],
        tool_choice="required",
        extra_create_args={"logit_bias": ONE_CALL},
    )
    structured = await client().create(said(QUESTION), json_output=Place)
    agent = await AssistantAgent("birds", client(), system_message=None).run(task=QUESTION)
    assert agent.messages[-1].content == answer.content
    show(
        {
            "chat": {
                "plain": answer.content,
                "usage": [answer.usage.prompt_tokens, answer.usage.completion_tokens],
                "stream": await streamed(),
                "structured": Place.model_validate_json(structured.content).model_dump(),
                "tool": {
                    "name": calling.content[0].name,
                    "args": Place.model_validate_json(calling.content[0].arguments).model_dump(),
                },
                "unknown model": await async_error(client("swan").create(said(QUESTION))),
                "bad key": await async_error(client(key="wrong").create(said(QUESTION))),
                "too long": await async_error(client().create(said(LONG))),
                "cancelled": await cancelled(),
                "left": len(await streamed(ENOUGH, max_tokens=2000)),
            }
        }
    )


asyncio.run(main())
