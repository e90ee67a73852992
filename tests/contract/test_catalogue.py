"""What values/models/ and the cookbook say of engines is what the pinned vLLM takes, and builds with the pinned Ray.

In the built serve image, without a GPU and without the models' files: memory, speed and what a model's own
configuration allows are not seen here.
"""

import json
from pathlib import Path
from typing import Any

from tests.contract.test_serve_config import CHART, check, image, run, serve_configs
from tests.golden.catalogue import FILES, Entry
from tests.golden.cookbook import cookbook, engines

__all__ = ["image"]

SCRIPT = Path(__file__).with_name("engine_types.py")


def refused(image: str, folder: Path, given: dict[str, dict[str, Any]]) -> list[str]:
    """What vLLM says against engine arguments, by name; all in one run, as importing vLLM takes longest."""
    folder.chmod(0o755)
    (folder / "engines.json").write_text(json.dumps(given))
    (folder / "engine_types.py").write_text(SCRIPT.read_text())
    command = ("python", "/config/engine_types.py", "/config/engines.json")
    done = run(image, *command, binds=(f"{folder}:/config",))
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def test_every_file_builds(image: str, tmp_path: Path) -> None:
    configs = {file.stem: next(serve_configs(file)) for file in FILES}
    done = check(image, tmp_path, configs)
    assert done.returncode == 0, done.stderr
    for entry, line in zip((Entry(file) for file in FILES), done.stdout.splitlines(), strict=True):
        application, _, deployments = line.partition(": ")
        assert application == entry.id
        for kind in ("Prefill", "Decode") if "roles" in entry.model else ("LLMServer",):
            assert f"{kind}:{entry.id}" in deployments


def test_vllm_takes_the_engine_arguments_of_every_file(image: str, tmp_path: Path) -> None:
    given = {Entry(file).file.stem: Entry(file).model["engine"] for file in FILES}
    assert refused(image, tmp_path, given) == []


def test_vllm_takes_every_block_of_the_cookbook(image: str, tmp_path: Path) -> None:
    given = {
        f"{name}, {model}": engine for name, values in cookbook().items() for model, engine in engines(values).items()
    }
    assert refused(image, tmp_path, given) == []


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "parser of tools": (
        {"tool_call_parser": "hermes2"},
        "tool_call_parser is 'hermes2', which this vLLM does not have",
    ),
    "parser of thoughts": ({"reasoning_parser": "r1"}, "reasoning_parser is 'r1', which this vLLM does not have"),
    "method of quantization": ({"quantization": "fp8_per_row"}, "quantization is 'fp8_per_row'"),
    "format of files": ({"load_format": "runai"}, "load_format is 'runai'"),
    "field of speculation": ({"speculative_config": {"tokens": 3}}, "speculative_config.tokens is no field"),
    "method of speculation": ({"speculative_config": {"method": "eagle9"}}, "speculative_config.method"),
    "connector": ({"kv_transfer_config": {"kv_connector": "CPU", "kv_role": "kv_both"}}, "kv_connector is 'CPU'"),
    "connector without a role": ({"kv_transfer_config": {"kv_connector": "CPU"}}, "Please specify kv_role"),
    "backend": ({"structured_outputs_config": {"backend": "lark"}}, "structured_outputs_config.backend"),
    "limit of images": ({"limit_mm_per_prompt": {"image": "many"}}, "limit_mm_per_prompt.image"),
    "template": ({"chat_template": "{% for %}"}, "chat_template: "),
    "template that is a path": ({"chat_template": "chatml"}, "chat_template: The supplied chat template (chatml)"),
}


def test_what_is_wrong_is_seen(image: str, tmp_path: Path) -> None:
    """Each of the two tests above would miss nothing of its kind."""
    found = refused(image, tmp_path, {name: engine for name, (engine, _) in WRONG.items()})
    for name, (_, says) in WRONG.items():
        assert any(line.startswith(f"{name}: ") and says in line for line in found), (name, found)


def test_the_guard_of_weights_counts_as_vllm_does(image: str) -> None:
    done = run(image, "python", "-c", "from vllm.config import CacheConfig as c; print(c.gpu_memory_utilization)")
    default = done.stdout.split()[-1]
    assert f"ternary 0.9 {default}" in (CHART / "templates/validate/_fit.tpl").read_text()
