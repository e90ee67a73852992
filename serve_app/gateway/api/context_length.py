"""Recognizes the refusal of a prompt that is too long, in the words of each server.

Clients that learn of it shorten the prompt or take another model. They look for a code (OpenAI's clients) or for words
(Anthropic's).
"""

import re
from typing import NamedTuple

_LONGEST_READ = 4096
"""Characters of a message; the words that matter come first."""
_PHRASES = tuple(
    re.compile(
        phrase.format(
            prompt=r"(?P<prompt>\d{1,18})",
            output=r"(?P<output>\d{1,18})",
            limit=r"(?P<limit>\d{1,18})",
            few=".{0,100}?",
        ),
        re.DOTALL,
    )
    for phrase in (
        # vLLM 0.29: renderers/params.py, v1/engine/input_processor.py, serve/utils/api_utils.py, responses/serving.py
        r"maximum context length is {limit} tokens\. However, you requested {output} output tokens and your prompt "
        r"contains (?P<least>at least )?{prompt} input tokens",
        r"maximum context length is {limit} tokens\. However, you requested {output} output tokens and your prompt "
        r"contains \d+ characters",
        r"prompt \(length {prompt}\){few} is longer than the maximum model length of {limit}",
        r"Input length \({prompt}\) exceeds model's maximum context length \({limit}\)",
        r"engine prompt length {prompt} exceeds the max_model_len {limit}",
        # vLLM before
        r"is too large: {output}\. This model's maximum context length is {limit} tokens and your request has {prompt} "
        r"input tokens",
        # OpenAI
        r"maximum context length is {limit} tokens{few}\({prompt} in [a-z ]+[,;] {output} ",
        # other servers
        r"maximum context length",
        r"longer than the model's context length",
    )
)


class ContextOverflow(NamedTuple):
    """A prompt that was too long. All numbers are tokens; None where the server does not say."""

    prompt: int | None
    at_least: bool
    """Whether the prompt may be longer: vLLM stops counting where it is too long."""
    output: int
    """What was asked for."""
    limit: int | None
    """What the model takes, prompt and answer together."""

    @classmethod
    def found_in(cls, message: str) -> "ContextOverflow | None":
        """Reads it from a server's message; None if the message is about something else."""
        for phrase in _PHRASES:
            if found := phrase.search(message, 0, _LONGEST_READ):
                numbers = found.groupdict()
                prompt, limit = numbers.get("prompt"), numbers.get("limit")
                return cls(
                    int(prompt) if prompt else None,
                    bool(numbers.get("least")) or not prompt,
                    int(numbers.get("output") or 0),
                    int(limit) if limit else None,
                )
        return None

    def for_anthropic(self, message: str) -> str:
        """The message with the words that Anthropic's clients look for in front of it.

        Where the prompt alone would fit, these include the words that make clients ask for fewer tokens.
        """
        words = "prompt is too long"
        if self.limit is not None:
            total = self.output + (self.prompt or 0)
            words += f": {max(total, self.limit + 1)} tokens > {self.limit} maximum"
            if self.prompt is not None and not self.at_least and self.prompt < self.limit < total:
                terms = f"{self.prompt} + {self.output} > {self.limit}"
                words += f". input length and `max_tokens` exceed context limit: {terms}"
        return f"{words} ({message})"
