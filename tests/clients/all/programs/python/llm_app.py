"""llm: the command's library, with a model that its configuration file describes."""

from typing import Any

import llm
from llm.default_plugins.openai_models import Chat
from report import LONG, OPENAI, QUESTION, Place, error, pieces, show


def model(name: str = "sparrow") -> Chat:
    return Chat(name, model_name=name, api_base=OPENAI["base_url"], supports_schema=True, supports_tools=True)


def ask(text: str = QUESTION, name: str = "sparrow", key: str = OPENAI["api_key"], **more: Any) -> llm.Response:
    options = {"stream": False, "temperature": 0, "max_tokens": 200} | more
    return model(name).prompt(text, key=key, **options)


answer = ask()
text, usage = answer.text(), answer.usage()
conversation = model().conversation()
conversation.prompt(QUESTION, key=OPENAI["api_key"], temperature=0, max_tokens=200).text()
second = conversation.prompt("What is vLLM?", key=OPENAI["api_key"], temperature=0, max_tokens=200).text()
show(
    {
        "chat": {
            "plain": text,
            "usage": [usage.input, usage.output],
            "stream": pieces(ask(stream=True)),
            "second turn": second,
            "structured": Place.model_validate_json(ask(schema=Place).text()).model_dump(),
            "unknown model": error(lambda: ask(name="swan").text()),
            "bad key": error(lambda: ask(key="wrong").text()),
            "too long": error(lambda: ask(LONG).text()),
        }
    }
)
