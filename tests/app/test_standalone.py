"""serve_app.models.standalone: from the settings of a model to vLLM's command line, which then is the process."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from serve_app.models import standalone
from serve_app.models.standalone import flags, serve_arguments
from serve_app.settings.engine import OWNED, arguments
from serve_app.settings.errors import SettingsError
from serve_app.settings.model import ModelSettings
from tests.app.test_model_settings import ARGS

CHART = Path(__file__).parents[2] / "charts" / "ray-vllm-stack"
OF_EACH = {
    "--served-model-name",
    "--host=::",
    "--port=8000",
    "--middleware=serve_app.models.in_flight.InFlight",
    "--shutdown-timeout=20",
}


def words(change: dict[str, Any], host: str = "::") -> list[str]:
    return serve_arguments(ModelSettings.parse(ARGS | change), host)


def test_least() -> None:
    model, *options = words({})
    assert model == "/mnt/models/demo-models/sparrow"
    assert set(options) >= OF_EACH
    assert options[options.index("--served-model-name") + 1] == "sparrow"
    assert "--distributed-executor-backend=mp" in options
    assert "--enable-prompt-tokens-details" in options


@pytest.mark.parametrize(
    ("change", "model", "present", "absent"),
    [
        ({"source": "hf://Qwen/Qwen3-8B", "revision": "main"}, "Qwen/Qwen3-8B", "--revision=main", "--task"),
        ({"source": "/opt/tiny", "task": "embed"}, "/opt/tiny", "--runner=pooling", "--enable-prompt-tokens-details"),
        (
            {"accelerator": {"class": "l4", "resource": "GPU"}},
            "/mnt/models/demo-models/sparrow",
            "--port=8000",
            "--distributed-executor-backend=mp",
        ),
        (
            {"accelerator": {"class": "l4", "resource": "GPU"}, "parallelism": {"tensor": 2}},
            "/mnt/models/demo-models/sparrow",
            "--tensor-parallel-size=2",
            "--runner=pooling",
        ),
        (
            {"engine": {"middleware": ["mine.Middleware"], "shutdown_timeout": 5}},
            "/mnt/models/demo-models/sparrow",
            "--middleware=mine.Middleware",
            "--shutdown-timeout=20",
        ),
    ],
    ids=["revision", "task", "one GPU", "two GPUs", "own middleware"],
)
def test_what_follows_from_settings(change: dict[str, Any], model: str, present: str, absent: str) -> None:
    first, *options = words(change)
    assert first == model
    assert present in options
    assert absent not in options


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ({"enforce_eager": True, "enable_prefix_caching": False}, ["--enforce-eager", "--no-enable-prefix-caching"]),
        ({"max_model_len": 8192, "swap_space": 0.5}, ["--max-model-len=8192", "--swap-space=0.5"]),
        ({"compilation_config": {"mode": 3, "pass_config": {"fuse_norm_quant": True}}},
         ['--compilation-config={"mode": 3, "pass_config": {"fuse_norm_quant": true}}']),
        ({"chat_template": "{% for m in messages %}--x\n{% endfor %}"},
         ["--chat-template={% for m in messages %}--x\n{% endfor %}"]),
        ({"lora_modules": [{"name": "sql", "path": "/a"}, "b=/c"]},
         ["--lora-modules", '{"name": "sql", "path": "/a"}', "b=/c"]),
        ({"cudagraph_capture_sizes": [1, 2]}, ["--cudagraph-capture-sizes", "1", "2"]),
        ({"allowed_origins": ["*"]}, ['--allowed-origins=["*"]']),
        ({"middleware": ["a.B", "c.d"]}, ["--middleware=a.B", "--middleware=c.d"]),
        ({"logits_processors": [], "tool_call_parser": None, "aggregate_engine_logging": False}, []),
    ],
    ids=lambda each: next(iter(each), "") if isinstance(each, dict) else "",
)  # fmt: skip
def test_flags(engine: dict[str, Any], said: list[str]) -> None:
    assert list(flags(engine)) == said


def test_every_engine_argument_has_its_flag() -> None:
    """The names are vLLM's own; tests/contract gives their flags to vLLM itself."""
    for name in arguments():
        (flag,) = flags({name: 1})
        assert flag == f"--{name.replace('_', '-')}=1"
    guard = (CHART / "templates/validate/_standalone.tpl").read_text()
    for name in standalone.NOT_ON_COMMAND_LINE:
        assert name in arguments()
        assert f'"{name}"' in guard, "the chart refuses it too"
    assert {"served_model_name", "host", "port", "tensor_parallel_size"} <= set(OWNED)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": "s3://bucket/x"}, "source is 's3://bucket/x', which vLLM alone does not load from, use an hf:/"),
        ({"engine": {"mamba_config": {}}}, "engine.mamba_config is no option of vLLM's server, leave it out, or"),
    ],
    ids=["bucket", "no option"],
)  # fmt: skip
def test_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        words(change)


def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, args: dict[str, Any]) -> tuple[int, list[Any]]:
    """The exit status of the command, 0 where it has become another one, and what it has become."""
    file, became = tmp_path / "model.json", list[Any]()
    file.write_text(json.dumps(args))
    monkeypatch.setattr(sys, "argv", ["standalone", str(file), "--host", "::"])
    monkeypatch.setattr("serve_app.models.standalone.check_pair", lambda *_: None)
    monkeypatch.setattr(os, "execvpe", lambda *words: became.extend(words))
    return standalone.main() or 0, became


def test_becomes_vllm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    args = ARGS | {"source": str(tmp_path), "env": {"VLLM_LOGGING_LEVEL": "DEBUG"}}
    _, (program, command, environment) = started(monkeypatch, tmp_path, args)
    assert program == "vllm"
    assert command[:3] == ["vllm", "serve", str(tmp_path)]
    assert environment["VLLM_LOGGING_LEVEL"] == "DEBUG"
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "/mnt/models/demo-models/sparrow does not exist, put the model's files there"),
        ({"engine": {"max_modellen": 1}}, "engine.max_modellen is not an argument of this vLLM; did you mean"),
    ],
    ids=["no weights", "no such argument"],
)  # fmt: skip
def test_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    says: str,
) -> None:
    assert started(monkeypatch, tmp_path, ARGS | change) == (1, [])
    assert says in capsys.readouterr().err


def test_refuses_another_pair(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.json"
    file.write_text(json.dumps(ARGS))
    monkeypatch.setattr(sys, "argv", ["standalone", str(file)])
    assert standalone.main() == 1
    assert "but the chart was made for Ray 2.60.0 and vLLM 0.29.0" in capsys.readouterr().err
