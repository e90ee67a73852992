"""Choosing a branch: a model reads the question and names one of the branches."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serve_app.pipelines.generator import Generator
from serve_app.pipelines.measures import Measures
from serve_app.pipelines.tracing import Carrier
from serve_app.settings.agent import OTHERWISE, Branch

LONGEST_QUESTION = 8000
"""Characters of a question that are read for it."""
_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Chosen:
    """A branch by its name, empty for none, and the usage of choosing it."""

    branch: str = ""
    usage: Mapping[str, Any] | None = None


class Classifier:
    """Asks a model which branch a question belongs to."""

    def __init__(self, generator: Generator, branches: Mapping[str, Branch], measures: Measures) -> None:
        """Prepares the question to the model.

        Args:
            generator: Asks it.
            branches: What there is to choose from, by name.
            measures: Notes its tokens.
        """
        self._generator = generator
        self._names = (*branches, OTHERWISE)
        self._measures = measures
        lines = (f"{name}: {branch.when}" for name, branch in branches.items())
        self._told = "\n".join(
            ("What is the message about? Answer with one name.", *lines, f"{OTHERWISE}: anything else")
        )
        self._format = {
            "type": "json_schema",
            "json_schema": {
                "name": "branch",
                "schema": {
                    "type": "object",
                    "properties": {"branch": {"type": "string", "enum": list(self._names)}},
                    "required": ["branch"],
                    "additionalProperties": False,
                },
            },
        }

    async def __call__(self, question: str, trace: Carrier) -> Chosen:
        """The branch of a question.

        Raises:
            ApiError: The model cannot be asked.
        """
        messages = [
            {"role": "system", "content": self._told},
            {"role": "user", "content": question[:LONGEST_QUESTION]},
        ]
        body = {"messages": messages, "temperature": 0, "max_tokens": _TOKENS, "response_format": self._format}
        completion = await self._generator.whole(body, trace)
        usage = completion.get("usage") or {}
        self._measures.tokens("classify", int(usage.get("total_tokens") or 0))
        choice = (completion.get("choices") or [{}])[0]
        name = self._named((choice.get("message") or {}).get("content") or "")
        return Chosen("" if name == OTHERWISE else name, usage)

    def _named(self, text: str) -> str:
        """The branch that a model's answer names; what a model without guided answers writes is read too."""
        try:
            said = json.loads(text)
            name = said.get("branch") if isinstance(said, dict) else said
        except ValueError:
            name = text.strip().strip(".\"'")
        return name if name in self._names else OTHERWISE
