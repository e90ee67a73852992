"""pydantic-ai: agents over OpenAI's two APIs and Anthropic's."""

import asyncio
from typing import Any

from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from report import ANTHROPIC, ENOUGH, LONG, ONE_CALL, OPENAI, QUESTION, WRONG, Place, async_error, show


def chat(name: str = "sparrow", **place: str) -> Model:
    return OpenAIChatModel(name, provider=OpenAIProvider(**OPENAI | place))


def responses(name: str = "sparrow", **place: str) -> Model:
    return OpenAIResponsesModel(name, provider=OpenAIProvider(**OPENAI | place))


def anthropic(name: str = "sparrow", **place: str) -> Model:
    return AnthropicModel(name, provider=AnthropicProvider(**ANTHROPIC | place))


async def report(api: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"temperature": 0, "max_tokens": 200}
    if api is anthropic:
        settings = {"extra_body": {"temperature": 0}, "max_tokens": 100}
    agent = Agent(api(), model_settings=settings)
    answer = await agent.run(QUESTION)
    async with agent.run_stream(QUESTION) as streamed:
        stream = [piece async for piece in streamed.stream_text(delta=True, debounce_by=None)]
    second = await agent.run("What is vLLM?", message_history=answer.all_messages())
    found = {
        "plain": answer.output,
        "usage": [answer.usage.input_tokens, answer.usage.output_tokens],
        "stream": stream,
        "second turn": second.output,
        "unknown model": await async_error(agent.run(QUESTION, model=api("swan"))),
        "bad key": await async_error(agent.run(QUESTION, model=api(**WRONG))),
        "too long": await async_error(agent.run(LONG)),
    }
    if api is anthropic:
        return found
    native = Agent(api(), model_settings=settings, output_type=NativeOutput(Place), retries=0)
    found["structured"] = (await native.run(QUESTION)).output.model_dump()
    if api is responses:
        return found
    once = settings | {"logit_bias": ONE_CALL}
    tool = Agent(api(), model_settings=once, output_type=ToolOutput(Place, name="weather"), retries=0)
    found["tool"] = {"name": "weather", "args": (await tool.run(QUESTION)).output.model_dump()}
    endless = {"max_tokens": 2000, "extra_body": {"ignore_eos": True}}
    async with agent.run_stream(QUESTION, model_settings=endless) as streamed:
        found["left"] = 0
        async for _ in streamed.stream_text(delta=True, debounce_by=None):
            found["left"] += 1
            if found["left"] == ENOUGH:
                break
        await streamed.cancel()
    return found


async def main() -> None:
    show({api.__name__: await report(api) for api in (chat, responses, anthropic)})


asyncio.run(main())
