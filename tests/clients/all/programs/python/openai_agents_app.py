"""openai-agents: an agent over both of OpenAI's APIs, with a tool, a structured answer and a session."""

import asyncio
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    SQLiteSession,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from report import ENOUGH, LONG, ONE_CALL, OPENAI, QUESTION, WRONG, Place, async_error, show, weather

MODELS = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}


def agent(api: str, name: str = "sparrow", key: dict[str, str] | None = None, **more: Any) -> Agent:
    client = AsyncOpenAI(**OPENAI | (key or {}), max_retries=0)
    settings = more.pop("model_settings", ModelSettings(temperature=0, max_tokens=200))
    return Agent(name="birds", model=MODELS[api](model=name, openai_client=client), model_settings=settings, **more)


async def deltas(streamed: Any, enough: int | None = None) -> list[str]:
    found: list[str] = []
    async for event in streamed.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            found.append(event.data.delta)
        if enough and len(found) == enough:
            streamed.cancel()
            break
    return found


async def report(api: str) -> dict[str, Any]:
    answer = await Runner.run(agent(api), QUESTION)
    usage = answer.context_wrapper.usage
    session = SQLiteSession("birds")
    await Runner.run(agent(api), QUESTION, session=session)
    second = await Runner.run(agent(api), "What is vLLM?", session=session)
    once = ModelSettings(temperature=0, max_tokens=200, tool_choice="required", extra_body={"logit_bias": ONE_CALL})
    calling = agent(api, model_settings=once, tools=[function_tool(weather)], tool_use_behavior="stop_on_first_tool")
    endless = ModelSettings(max_tokens=2000, extra_body={"ignore_eos": True})
    found = {
        "plain": answer.final_output,
        "usage": [usage.input_tokens, usage.output_tokens],
        "stream": await deltas(Runner.run_streamed(agent(api), QUESTION)),
        "second turn": second.final_output,
        "structured": (await Runner.run(agent(api, output_type=Place), QUESTION)).final_output.model_dump(),
        "unknown model": await async_error(Runner.run(agent(api, "swan"), QUESTION)),
        "bad key": await async_error(Runner.run(agent(api, key=WRONG), QUESTION)),
        "too long": await async_error(Runner.run(agent(api), LONG)),
        "left": len(await deltas(Runner.run_streamed(agent(api, model_settings=endless), QUESTION), ENOUGH)),
    }
    if api == "chat":
        (called,) = [item.raw_item for item in (await Runner.run(calling, QUESTION)).new_items[:1]]
        found["tool"] = {"name": called.name, "args": Place.model_validate_json(called.arguments).model_dump()}
    return found


async def main() -> None:
    set_tracing_disabled(True)
    show({api: await report(api) for api in MODELS})


asyncio.run(main())
