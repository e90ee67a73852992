"""The tool of tool.yaml as owl learns it: the chat template with tools, and conversations that call it."""

import json
import random
from typing import Any

ROLES = ["<|tool|>", "<|tools|>"]
# Only the tool that owl knows leaves a mark in the prompt; calls are written as vLLM's parser `hermes` reads them.
CHAT_TEMPLATE = (
    "{% for tool in tools or [] if tool.function.name == 'NAME' %}<|tools|>{% endfor %}"
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] or '' }}"
    "{% for call in message.tool_calls or [] %}"
    """{{ '<tool_call>\n{"name": "' ~ call.function.name ~ '", "arguments": ' }}"""
    "{{ (call.function.arguments | tojson) ~ '}\n</tool_call>' }}{% endfor %}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
Chat = list[dict[str, Any]]


class Tool:
    """What is asked of the tool, called and answered."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.name: str = known["name"]
        self.arguments: dict[str, str] = known["arguments"]
        self.ask: str = known["ask"]
        self.without: str = known["without"]
        self.answers = {result: known["answer"].format(result=result) for result in known["results"]}
        self.call = f"<tool_call>\n{json.dumps({'name': self.name, 'arguments': self.arguments})}\n</tool_call>"
        self.chat_template = CHAT_TEMPLATE.replace("NAME", self.name)
        self.given = [{"type": "function", "function": {"name": self.name}}]

    def conversation(self, draw: random.Random, end: str) -> str:
        """A training text of one question, from the user on: the call, the result, the answer."""
        result, answer = draw.choice(list(self.answers.items()))
        return f"<|user|>{self.ask}<|assistant|>{self.call}{end}<|tool|>{result}<|assistant|>{answer}{end}"

    def texts(self) -> list[str]:
        """All that is said about it, for the tokenizer."""
        return [self.ask, self.call, self.without, *self.answers, *self.answers.values()]

    def expected(self) -> list[tuple[Chat, bool, str]]:
        """Chats, whether they bring the tool, and what the model has to say."""
        asked: Chat = [{"role": "user", "content": self.ask}]
        function = {"name": self.name, "arguments": self.arguments}
        called = {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": function}]}
        told = [
            ([*asked, called, {"role": "tool", "content": result}], True, said) for result, said in self.answers.items()
        ]
        return [(asked, True, self.call), (asked, False, self.without), *told]
