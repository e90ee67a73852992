"""A standalone model's command line is what vLLM reads, and means what Ray Serve LLM would make of the same settings.

In the built serve image, with vLLM's own parser; no engine is started. What is compared for each engine argument is the
value that vLLM's server gets by its flag with the one that Ray gives to the engine.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from serve_app.models.standalone import NOT_ON_COMMAND_LINE
from serve_app.settings.engine import arguments

from .test_serve_config import CHART, FILES, ROOT, image, run

__all__ = ["image"]

# Values of arguments whose choices or shape the schema does not tell, and of those that people use most.
SAMPLES: dict[str, list[Any]] = {
    "collect_detailed_traces": [["all"]],
    "compilation_config": [{"mode": 3, "pass_config": {"fuse_norm_quant": True}, "cudagraph_capture_sizes": [1, 2]}],
    "cudagraph_capture_sizes": [[1, 2]],
    "default_chat_template_kwargs": [{"enable_thinking": False, "a.b": [1]}],
    "ec_transfer_config": [{"engine_id": "a"}],
    "hf_overrides": [{"architectures": ["A"]}],
    "ignore_patterns": [["*.pth", "original/**"]],
    "kv_transfer_config": [{"engine_id": "a", "kv_connector": "NixlConnector", "kv_role": "kv_both"}],
    "limit_mm_per_prompt": [{"image": 2, "video": {"count": 1, "num_frames": 32}}],
    "lora_dtype": ["auto"],
    "lora_modules": [[{"name": "sql", "path": "/a"}, {"name": "b", "path": "org/b", "base_model_name": "c"}]],
    "max_model_len": [-1, 8192],
    "mm_encoder_attn_dtype": ["fp8"],
    "mm_processor_device": ["cpu"],
    "numa_bind_nodes": [[0, 1]],
    "offload_backend": ["uva"],
    "override_generation_config": [{"temperature": 0.5, "stop": ["\n"]}],
    "spec_method": ["ngram"],
    "speculative_config": [{"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_max": 4}],
    "structured_outputs_config": [{"backend": "xgrammar", "disable_any_whitespace": True}],
    "chat_template": ["{% for m in messages %}--x: {{ m.content }}\n{% endfor %}"],
    "video_pruning_method": ["evs"],
}
PARSE = """
import contextlib, dataclasses, json, sys
from ray.llm._internal.serve.engines.vllm.vllm_engine import _normalize_vllm_engine_kwargs
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.cli.serve import ServeSubcommand
from vllm.entrypoints.launchers.app import build_app
from vllm.utils.argparse_utils import FlexibleArgumentParser
from serve_app.models.standalone import flags

parser = FlexibleArgumentParser()
serve = ServeSubcommand()
serve.subparser_init(parser.add_subparsers(dest="subparser"))
engine = {field.name for field in dataclasses.fields(AsyncEngineArgs)}

def read(words):
    try:
        return parser.parse_args(["serve", *words])
    except (SystemExit, ValueError) as error:
        return error

def plain(value):
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, set | list | tuple):
        return [plain(each) for each in value]
    return value if isinstance(value, dict | int | float | bool | None) else str(value)

wrong = []
for name, values in json.load(open("/config/samples.json")).items():
    for value in values:
        got = read(["org/model", *flags({name: value})])
        if isinstance(got, BaseException):
            wrong.append(f"{name}: {value!r} is refused")
            continue
        wanted = _normalize_vllm_engine_kwargs({name: value})[name] if name in engine else value
        got, wanted = plain(getattr(got, name)), plain(wanted)
        if name == "lora_modules":  # vLLM fills in what an entry leaves out
            got = [{key: each[key] for key in asked} for each, asked in zip(got, wanted, strict=True)]
        if got != wanted and str(got) != str(wanted):
            wrong.append(f"{name}: {value!r} is read as {got!r}, and Ray makes {wanted!r} of it")
for command in json.load(open("/config/commands.json")):
    got = read(command[2:])
    if isinstance(got, BaseException):
        wrong.append(f"{command} is refused")
        continue
    serve.validate(got)
    if "InFlight" not in [each.cls.__name__ for each in build_app(got, ("generate",)).user_middleware]:
        wrong.append(f"{command}: its server lacks the middleware")
    if (got.model_tag, got.served_model_name, got.port) != (command[2], got.served_model_name[:1], 8000):
        wrong.append(f"{command} is read as {got}")
print("\\n".join(wrong), file=sys.stderr)
sys.exit(bool(wrong))
"""


PLAIN: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [1],
    "number": [0.5],
    "string": ["a-1"],
    "object": [{}],
    "array": [["a", "b"]],
}


def samples() -> Iterator[tuple[str, list[Any]]]:
    """Values of each engine argument that the schema allows."""
    for name, schema in arguments().items():
        types = schema.get("type", [])
        found = [value for each in ([types] if isinstance(types, str) else types) for value in PLAIN[each]]
        least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        found = [least if each == 1 and each is not True and least > 1 else each for each in found]
        yield name, SAMPLES.get(name) or schema.get("enum") or found


def settings(file: Path) -> Iterator[dict[str, Any]]:
    """What the chart gives the standalone models of a values file."""
    command = ["helm", "template", "demo", str(CHART), "--namespace", "llm", "--values", str(file)]
    for document in yaml.safe_load_all(subprocess.check_output(command, text=True)):
        if document and document["kind"] == "ConfigMap" and "model.json" in document["data"]:
            yield json.loads(document["data"]["model.json"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path


def test_vllm_reads_what_ray_would_make(image: str, folder: Path) -> None:
    given = {name: values for name, values in samples() if name not in NOT_ON_COMMAND_LINE}
    (folder / "samples.json").write_text(json.dumps(given))
    (folder / "commands.json").write_text("[]")
    done = run(image, "python", "-c", PARSE, binds=(f"{folder}:/config",))
    assert done.returncode == 0, done.stderr[-4000:]


def test_what_is_refused_is_no_option(image: str, folder: Path) -> None:
    given: dict[str, list[Any]] = {name: [{} if name.endswith("config") else True] for name in NOT_ON_COMMAND_LINE}
    (folder / "samples.json").write_text(json.dumps(given))
    (folder / "commands.json").write_text("[]")
    done = run(image, "python", "-c", PARSE, binds=(f"{folder}:/config",))
    assert sorted(line.split(":")[0] for line in done.stderr.splitlines() if line.endswith("is refused")) == sorted(
        given
    )


def test_every_values_file_starts(image: str, folder: Path) -> None:
    """The whole command line of each standalone model in values/, as the pod would run it."""
    files = [*FILES, ROOT / "charts/ray-vllm-stack/tests/values/standalone.yaml"]
    models = [model for file in files for model in settings(file)]
    assert models
    commands = []
    for model in models:
        (folder / "model.json").write_text(json.dumps(model))
        line = ("python", "-m", "serve_app.models.standalone", "/config/model.json", "--host", "::", "--print")
        done = run(image, *line, binds=(f"{folder}:/config",))
        assert done.returncode == 0, done.stderr
        commands.append(json.loads(done.stdout))
    (folder / "samples.json").write_text("{}")
    (folder / "commands.json").write_text(json.dumps(commands))
    done = run(image, "python", "-c", PARSE, binds=(f"{folder}:/config",))
    assert done.returncode == 0, done.stderr[-4000:]
