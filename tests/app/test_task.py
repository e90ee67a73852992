"""serve_app.models.task: what follows from what a model is for."""

from typing import Any

import pytest

from serve_app.models.task import engine_arguments
from serve_app.settings.model import ModelSettings
from tests.app.test_model_settings import ARGS


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
    ],
    ids=str,
)
def test_engine_arguments(change: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert engine_arguments(ModelSettings.parse(ARGS | change)) == arguments
