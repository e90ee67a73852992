"""What a model is for: from the settings to vLLM's engine arguments."""

from typing import Any

from serve_app.settings.model import Accelerator, ModelSettings, Parallelism

# A pooling model of whatever the weights are; which conversion that takes vLLM sees by their architecture.
_POOLING = {"runner": "pooling"}
# Answers say how many prompt tokens were cached: the gateway counts them apart, and they may have a price of their own.
_GENERATE = {"enable_prompt_tokens_details": True}
_ARGUMENTS: dict[str, dict[str, Any]] = {"generate": _GENERATE, "embed": _POOLING, "score": _POOLING, "transcribe": {}}
_USED_OF_A_SHARE = 0.9
"""Of its part of a device; the rest is for what CUDA itself takes for each process."""


def engine_arguments(settings: ModelSettings) -> dict[str, Any]:
    """The model's engine arguments, over those that follow from its task, parallelism and share of a device."""
    return arguments(settings, settings.accelerator, settings.parallelism, settings.engine)


def arguments(
    settings: ModelSettings, accelerator: Accelerator, parallelism: Parallelism, engine: dict[str, Any]
) -> dict[str, Any]:
    """The engine arguments of one kind of the model's replicas."""
    found = {**_ARGUMENTS[settings.task], **engine}
    sizes = {"tensor": parallelism.tensor, "pipeline": parallelism.pipeline, "data": parallelism.data}
    found |= {f"{name}_parallel_size": size for name, size in sizes.items() if size > 1}
    if parallelism.expert:
        found["enable_expert_parallel"] = True
    if settings.revision:
        found["revision"] = settings.revision
    if accelerator.share < 1:  # also with kv_cache_memory_bytes: vLLM asks for this much free memory in any case
        found.setdefault("gpu_memory_utilization", round(_USED_OF_A_SHARE * accelerator.share, 4))
    return found
