"""A program as users of instructor write it. Prints as JSON what came back; the environment says where the API is."""

import json
import sys
from typing import Literal

import instructor
import openai
from pydantic import BaseModel

QUESTION = [{"role": "user", "content": "What is Ray?"}]
ASK = {"model": "sparrow", "temperature": 0, "max_tokens": 200, "messages": QUESTION, "max_retries": 0}


class Bird(BaseModel):
    """A bird."""

    name: Literal["owl", "sparrow"]
    can_fly: bool


def error(**changes: object) -> str:
    """The class of the error that instructor says is the cause, and its code."""
    try:
        client(instructor.Mode.JSON_SCHEMA).chat.completions.create(response_model=Bird, **ASK | changes)
    except Exception as caught:
        cause = caught
        while not isinstance(cause, openai.APIStatusError) and (cause.__cause__ or cause.__context__):
            cause = cause.__cause__ or cause.__context__
        return f"{type(cause).__name__} {getattr(cause, 'code', None)}"
    return "none"


def client(mode: instructor.Mode) -> instructor.Instructor:
    """The package's client over openai's."""
    return instructor.from_openai(openai.OpenAI(max_retries=0), mode=mode)


structured = client(instructor.Mode.JSON_SCHEMA).chat.completions
birds = list(structured.create_partial(response_model=Bird, **ASK))
printed = {
    # tool_choice names the tool, which is what instructor does unless it is told otherwise.
    "tools": client(instructor.Mode.TOOLS).chat.completions.create(response_model=Bird, **ASK).model_dump(),
    "schema": structured.create(response_model=Bird, **ASK).model_dump(),
    "partial": birds[-1].model_dump(),
    "pieces": len(birds),
    "unknown model": error(model="swan"),
    "too long": error(messages=[{"role": "user", "content": "What is Ray? " * 900}]),
}
json.dump(printed, sys.stdout)
