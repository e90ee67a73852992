import re

import pytest

from serve_app.gateway.api.context_length import ContextOverflow

from .samples import SAMPLES

# All that vLLM 0.29 says; its source is named beside the patterns.
PHRASES = {
    SAMPLES["chat long"].message: ContextOverflow(2045, True, 4, 2048),
    SAMPLES["chat longer chars"].message: ContextOverflow(None, True, 4, 2048),
    SAMPLES["compl tokens"].message: ContextOverflow(2047, False, 4, 2048),
    "The decoder prompt (length 5000) is longer than the maximum model length of 2048. Make sure that "
    "`max_model_len` is no smaller than the number of text tokens.": ContextOverflow(5000, False, 0, 2048),
    "The decoder prompt (length 2048) plus the number of requested output tokens (at least 1) is longer than the "
    "maximum model length of 2048. Make sure that": ContextOverflow(2048, False, 0, 2048),
    "Input length (3000) exceeds model's maximum context length (2048).": ContextOverflow(3000, False, 0, 2048),
    "The engine prompt length 2048 exceeds the max_model_len 2048. Please reduce prompt.": ContextOverflow(
        2048, False, 0, 2048
    ),
    "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context length is 64001 tokens "
    "and your request has 24235 input tokens (64000 > 64001 - 24235).": ContextOverflow(24235, False, 64000, 64001),
    "This model's maximum context length is 4097 tokens. However, you requested 5003 tokens (1003 in the messages, "
    "4000 in the completion). Please reduce the length of the messages or completion.": ContextOverflow(
        1003, False, 4000, 4097
    ),
    "This model's maximum context length is 8192 tokens, however you requested more": ContextOverflow(
        None, True, 0, None
    ),
    "The input (9 tokens) is longer than the model's context length (8 tokens).": ContextOverflow(None, True, 0, None),
}


@pytest.mark.parametrize("message", PHRASES)
def test_prompts_that_are_too_long(message: str) -> None:
    assert ContextOverflow.found_in(message) == PHRASES[message]


@pytest.mark.parametrize("name", ["chat max_tokens large", "chat n", "chat temp", "chat unknown model"])
def test_other_refusals_are_about_something_else(name: str) -> None:
    assert ContextOverflow.found_in(SAMPLES[name].message) is None


@pytest.mark.parametrize("message", PHRASES)
def test_anthropics_clients_find_their_words(message: str) -> None:
    overflow = PHRASES[message]
    words = overflow.for_anthropic(message)
    assert words.endswith(f" ({message})")
    if overflow.limit is None:
        assert words.startswith("prompt is too long (")
    else:
        numbers = re.match(r"prompt is too long: (\d+) tokens > (\d+) maximum", words)
        assert numbers is not None
        assert int(numbers[1]) > int(numbers[2]) == overflow.limit


def test_a_prompt_that_fits_with_fewer_tokens_asked_for() -> None:
    words = ContextOverflow(2047, at_least=False, output=4, limit=2048).for_anthropic("m")
    assert words == (
        "prompt is too long: 2051 tokens > 2048 maximum. input length and `max_tokens` exceed context limit: "
        "2047 + 4 > 2048 (m)"
    )
    for longer in (ContextOverflow(2047, True, 4, 2048), ContextOverflow(2049, False, 4, 2048)):
        assert "context limit" not in longer.for_anthropic("m")
