"""dspy: its LM over the chat, text and responses APIs."""

from typing import Any

import dspy
from report import LONG, OPENAI, QUESTION, error, show


def report(kind: str) -> dict[str, Any]:
    def model(name: str = "sparrow", key: str = OPENAI["api_key"]) -> dspy.LM:
        place = {"api_base": OPENAI["base_url"], "api_key": key, "cache": False, "num_retries": 0}
        return dspy.LM(f"openai/{name}", model_type=kind, temperature=0, max_tokens=200, **place)

    asked = f"Question: {QUESTION}\nAnswer:" if kind == "text" else QUESTION
    lm = model()
    (answer,) = lm(asked)
    usage = lm.history[-1]["usage"]
    return {
        "plain": answer["text"] if isinstance(answer, dict) else answer,
        "usage": [
            usage.get("prompt_tokens", usage.get("input_tokens")),
            usage.get("completion_tokens", usage.get("output_tokens")),
        ],
        "unknown model": error(lambda: model("swan")(asked)),
        "bad key": error(lambda: model(key="wrong")(asked)),
        "too long": error(lambda: model()(LONG)),
    }


show({kind: report(kind) for kind in ("chat", "text", "responses")})
