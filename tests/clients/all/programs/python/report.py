"""What the programs beside it share: the question, a structured answer's model, and errors as a line of text."""

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel

QUESTION = "What is Ray?"
LONG = "What is Ray? " * 900  # more than the model's 2048 tokens
MESSAGES = [{"role": "user", "content": QUESTION}]
OPENAI = {"base_url": os.environ["OPENAI_BASE_URL"], "api_key": os.environ["OPENAI_API_KEY"]}
ANTHROPIC = {"base_url": os.environ["ANTHROPIC_BASE_URL"], "api_key": os.environ["ANTHROPIC_API_KEY"]}
WRONG = {"api_key": "wrong"}
# Where some tool has to be called, this small model would call it without end.
ONE_CALL = {os.environ["COMMA_TOKEN"]: -100}
ENOUGH = 10  # pieces that are read of a stream before it is left


class Place(BaseModel):
    """A place. Few values, since a model as small as this one writes free ones without end."""

    city: Literal["Rome", "Oslo"]


def weather(city: Literal["Rome", "Oslo"]) -> str:
    """Says what the weather is like.

    Args:
        city: Where.
    """
    return f"rain in {city}"


def error(call: Callable[[], object]) -> str:
    """The class of what a call raises, with the status and the code that it carries."""
    try:
        call()
    except Exception as caught:
        return _line(caught)
    return "no error"


async def async_error(call: Awaitable[object]) -> str:
    """The same of a coroutine."""
    try:
        await call
    except Exception as caught:
        return _line(caught)
    return "no error"


def _line(caught: Exception) -> str:
    words = [type(caught).__name__]
    for name in ("status_code", "status", "code"):
        word = getattr(caught, name, None) or getattr(caught.__cause__, name, None)
        if word and str(word) not in words:
            words.append(str(word))
    return " ".join(words)


def pieces(stream: Iterable[str | None]) -> list[str]:
    """The pieces of text of a stream that is read to its end."""
    return [piece for piece in stream if piece]


def left(stream: Iterable[str | None]) -> int:
    """How many pieces were read of a stream that was left."""
    return len(list(islice((piece for piece in stream if piece), ENOUGH)))


def show(report: dict[str, dict[str, Any]]) -> None:
    """Prints API -> check -> what came of it."""
    json.dump(report, sys.stdout)
