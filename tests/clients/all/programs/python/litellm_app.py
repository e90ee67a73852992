"""litellm, by each of the prefixes under which such a gateway is named."""

from typing import Any

import litellm
from report import LONG, MESSAGES, Place, error, left, pieces, show

TOOL = {"type": "function", "function": {"name": "weather", "parameters": Place.model_json_schema()}}
NAMED = {"type": "function", "function": {"name": "weather"}}


def report(prefix: str, base: str, key: str) -> dict[str, Any]:
    def ask(name: str = "sparrow", **more: Any) -> Any:
        given = {"temperature": 0, "max_tokens": 100, "messages": MESSAGES, "api_base": base, "api_key": key}
        return litellm.completion(model=f"{prefix}/{name}", num_retries=0, max_retries=0, **given | more)

    def stream(**more: Any) -> Any:
        return (chunk.choices[0].delta.content for chunk in ask(stream=True, **more) if chunk.choices)

    answer = ask()
    call = ask(tools=[TOOL], tool_choice=NAMED).choices[0].message.tool_calls[0].function
    found = {
        "plain": answer.choices[0].message.content,
        "usage": [answer.usage.prompt_tokens, answer.usage.completion_tokens],
        "stream": pieces(stream()),
        "tool": {"name": call.name, "args": Place.model_validate_json(call.arguments).model_dump()},
        "unknown model": error(lambda: ask("swan")),
        "bad key": error(lambda: ask(api_key="wrong")),
        "too long": error(lambda: ask(messages=[{"role": "user", "content": LONG}])),
        "too long, streamed": error(lambda: list(stream(messages=[{"role": "user", "content": LONG}]))),
    }
    if prefix != "anthropic":
        structured = ask(response_format=Place).choices[0].message.content
        found["structured"] = Place.model_validate_json(structured).model_dump()
        found["left"] = left(stream(max_tokens=2000, extra_body={"ignore_eos": True}))
    return found


def main() -> None:
    import os

    openai, anthropic = os.environ["OPENAI_BASE_URL"], os.environ["ANTHROPIC_BASE_URL"]
    key = os.environ["OPENAI_API_KEY"]
    places = {"openai": openai, "hosted_vllm": openai, "anthropic": anthropic}
    show({prefix: report(prefix, base, key) for prefix, base in places.items()})


main()
