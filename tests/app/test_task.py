"""serve_app.models.task: what follows from what a model is for."""

from typing import Any

import pytest

from serve_app.models.task import engine_arguments
from serve_app.settings.model import ModelSettings
from tests.app.test_model_settings import ARGS

HALF = {"accelerator": {"class": "l4", "resource": "GPU", "share": 0.5}}


@pytest.mark.parametrize(
    ("change", "arguments"),
    [
        ({}, {"enable_prompt_tokens_details": True}),
        ({"engine": {"dtype": "half"}}, {"enable_prompt_tokens_details": True, "dtype": "half"}),
        ({"engine": {"enable_prompt_tokens_details": False}}, {"enable_prompt_tokens_details": False}),
        ({"task": "embed"}, {"runner": "pooling"}),
        ({"task": "score", "engine": {"convert": "classify"}}, {"runner": "pooling", "convert": "classify"}),
        ({"task": "embed", "engine": {"runner": "auto"}}, {"runner": "auto"}),
        ({"task": "transcribe"}, {}),
        (
            {"task": "transcribe", "parallelism": {"tensor": 8, "pipeline": 2}},
            {"tensor_parallel_size": 8, "pipeline_parallel_size": 2},
        ),
        (
            {"task": "transcribe", "parallelism": {"data": 4, "expert": True}},
            {"data_parallel_size": 4, "enable_expert_parallel": True},
        ),
        ({"task": "transcribe", "source": "hf://a/b", "revision": "v1"}, {"revision": "v1"}),
        ({"task": "transcribe", **HALF}, {"gpu_memory_utilization": 0.45}),
        (
            {"task": "transcribe", **HALF, "engine": {"gpu_memory_utilization": 0.3}},
            {"gpu_memory_utilization": 0.3},
        ),
        (
            {"task": "transcribe", **HALF, "engine": {"kv_cache_memory_bytes": 1}},
            {"kv_cache_memory_bytes": 1, "gpu_memory_utilization": 0.45},
        ),
    ],
    ids=str,
)
def test_engine_arguments(change: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert engine_arguments(ModelSettings.parse(ARGS | change)) == arguments
