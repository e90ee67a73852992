"""serve_app.settings.model: the args of an application, and the sentence for each that cannot work."""

from typing import Any

import pytest

from serve_app.settings.errors import SettingsError
from serve_app.settings.model import ModelSettings

ARGS: dict[str, Any] = {
    "model_id": "sparrow",
    "source": "pvc://demo-models/sparrow",
    "accelerator": {"class": "cpu"},
    "versions": {"ray": "2.60.0", "vllm": "0.29.0"},
}


def test_as_args_is_read_again() -> None:
    change = {"parallelism": {"data": 4, "expert": True}, "routing": {"policy": "session"}, "engine": {"dtype": "half"}}
    settings = ModelSettings.parse(ARGS | change)
    assert settings.as_args() == ARGS | change
    assert ModelSettings.parse(settings.as_args()) == settings


def test_least() -> None:
    settings = ModelSettings.parse(ARGS)
    assert (settings.parallelism.tensor, settings.engine, settings.env, settings.revision) == (1, {}, {}, "")
    assert settings.accelerator.class_name == "cpu"


@pytest.mark.parametrize(
    "change",
    [
        {"source": "hf://Qwen/Qwen3-8B", "revision": "main"},
        {"source": "hf://unsloth/Llama-3.2-1B-Instruct_x.y"},
        {"source": "s3://bucket/path/to/model"},
        {"source": "gs://bucket"},
        {"source": "pvc://claim"},
        {"source": "/opt/models/tiny"},
        {"model_id": "qwen3-8b.v2"},
        {
            "accelerator": {"class": "a100-80gb", "resource": "GPU", "pods": "2x8"},
            "parallelism": {"tensor": 8, "pipeline": 2},
        },
        {"engine": {"max_model_len": 8192, "tool_call_parser": "hermes", "compilation_config": {"mode": 3}}},
        {"env": {"VLLM_LOGGING_LEVEL": "DEBUG"}},
        {"task": "embed"},
    ],
    ids=str,
)
def test_accepted(change: dict[str, Any]) -> None:
    ModelSettings.parse(ARGS | change)


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"source": ""},
        "source is '', write it as hf://ORG/NAME, s3://BUCKET/PATH, gs://BUCKET/PATH, azure://CONTAINER@ACCOUNT",
    ),
    ({"source": "Qwen/Qwen3-8B"}, "source is 'Qwen/Qwen3-8B', write it as"),
    ({"source": "hf://gpt2"}, "source is 'hf://gpt2', write it as"),
    ({"source": "https://example.com/model"}, "write it as"),
    ({"source": "pvc://claim/../../etc"}, "write it as"),
    ({"source": "pvc://Claim/x"}, "write it as"),
    ({"source": "/opt/a b"}, "write it as"),
    ({"revision": "main"}, "only an hf:// source has revisions"),
    ({"model_id": "Qwen/Qwen3-8B"}, "model_id: string should match pattern"),
    ({"model_id": "a" * 64}, "model_id: string should match pattern"),
    ({"task": "chat"}, "task: input should be 'generate', 'embed', 'score' or 'transcribe'"),
    ({"parallelism": {"tensor": 0}}, "parallelism.tensor: input should be greater than or equal to 1"),
    ({"parallelism": {"tensor": "2"}}, "parallelism.tensor: input should be a valid integer"),
    ({"paralelism": {}}, "paralelism is not a setting; did you mean parallelism?"),
    ({"accelerator": {"class": "v5", "resource": "a/b"}}, "accelerator.resource: string should match pattern"),
    ({"accelerator": {"class": "l4", "share": 2}}, "accelerator.share: input should be less than or equal to 1"),
    ({"accelerator": {"class": "l4", "pods": "2*8"}}, "accelerator.pods: string should match pattern"),
    ({"roles": {"prefill": {"accelerator": {"class": "l4"}}}}, "roles.decode is missing"),
    ({"routing": {"policy": "random"}}, "routing.policy: input should be 'least-requests', 'round-robin'"),
    ({"accelerator": {"resource": "GPU"}}, "accelerator.class is missing"),
    (
        {"accelerator": {"clas": "l4", "class": "l4"}},
        "accelerator.clas is not a setting; did you mean class?",
    ),
    ({"env": {"A": 1}}, "env.A: input should be a valid string"),
    ({"env": {"1A": "x"}}, "env.1A"),
    ({"versions": {"ray": "2.60.0"}}, "versions.vllm is missing"),
    (
        {"engine": {"max_model_length": 1}},
        "engine.max_model_length is not an argument of this vLLM; did you mean max_model_len",
    ),
    ({"engine": {"zzz": 1}}, "engine.zzz is not an argument of this vLLM"),
    ({"engine": {"model": "x"}}, "engine.model is set by the stack, set the model's source"),
    (
        {"engine": {"tensor_parallel_size": 2}},
        "engine.tensor_parallel_size is set by the stack, set parallelism.tensor",
    ),
    ({"engine": {"data_parallel_size": 2}}, "set parallelism.data"),
    ({"engine": {"api_key": ["k"]}}, "engine.api_key is set by the stack, set auth"),
    ({"engine": {"device": "auto"}}, "engine.device is not an argument of this vLLM"),
]


@pytest.mark.parametrize(("change", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        ModelSettings.parse(ARGS | change)
    sentence = str(refused.value)
    assert says in sentence
    assert sentence.startswith("model '")
    assert "\n" not in sentence


def test_several_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError, match=r"engine.modl .*; engine.api_key .*"):
        ModelSettings.parse(ARGS | {"engine": {"modl": "x", "api_key": []}})
