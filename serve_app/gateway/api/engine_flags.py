"""The chart's keys for what vLLM's refusals call by its flags and environment variables."""

import re

_FLAGS = (
    "--enable-auto-tool-choice",
    "--tool-call-parser",
    "--reasoning-parser",
    "--reasoning-config",
    "--trust-request-chat-template",
    "--chat-template",
    "--enable-prompt-embeds",
    "--enable-mm-embeds",
    "--limit-mm-per-prompt",
    "--enable-trace-replay",
    "--pooler-config",
    "--max-model-len",
)
"""Engine arguments that vLLM 0.29 names in refusals of requests."""
_VARIABLES = ("VLLM_ENABLE_RESPONSES_API_STORE", "VLLM_MAX_N_SEQUENCES", "VLLM_MAX_COMPLETION_PROMPTS")

_NAMED = re.compile(rf"(?:{'|'.join(_FLAGS)})(?![\w-])|\b(?:{'|'.join(_VARIABLES)})\b")


def with_keys(message: str) -> str:
    """A refusal with the chart's keys for the flags in it, which stay: people search for them."""
    keys = dict.fromkeys(map(_key, _NAMED.findall(message)))
    return f"{message.rstrip('.')}. In the values of the chart: {', '.join(keys)}." if keys else message


def _key(name: str) -> str:
    if name.startswith("--"):
        return f"models.<name>.engine.{name[2:].replace('-', '_')}"
    return f"models.<name>.env.{name}"
