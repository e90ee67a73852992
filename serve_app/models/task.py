"""What a model is for: from the setting to vLLM's engine arguments."""

from typing import Any

from serve_app.settings.model import ModelSettings

# A pooling model of whatever the weights are; which conversion that takes vLLM sees by their architecture.
_POOLING = {"runner": "pooling"}
# Answers say how many prompt tokens were cached: the gateway counts them apart, and they may have a price of their own.
_GENERATE = {"enable_prompt_tokens_details": True}
_ARGUMENTS: dict[str, dict[str, Any]] = {"generate": _GENERATE, "embed": _POOLING, "score": _POOLING, "transcribe": {}}


def engine_arguments(settings: ModelSettings) -> dict[str, Any]:
    """The model's engine arguments, over those that follow from its task."""
    return {**_ARGUMENTS[settings.task], **settings.engine}
