"""Every values file's serveConfigV2 is what Ray takes, and builds as our app, in the built serve image.

The CPU image builds GPU models too: Ray's schema, the names of engine arguments, placement and deployments are checked
for both kinds. Not checked here are the types and limits that vLLM finds when an engine starts, and anything of CUDA;
model files are not needed, and nothing is fetched.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "ray-vllm-stack"
FILES = sorted((ROOT / "values").glob("*.yaml"))
OFFLINE = ("HF_HUB_OFFLINE=1", "RAY_AUTH_MODE=disabled")


@pytest.fixture(scope="module")
def image() -> str:
    """The serve image for CPUs; images/build.sh builds it where it is not built yet, and prints its name."""
    if given := os.environ.get("SERVE_CPU_IMAGE"):
        return given
    built = subprocess.check_output([ROOT / "images/build.sh", "serve-cpu"], text=True)
    return dict(line.split("=", 1) for line in built.splitlines() if "=" in line)["serve-cpu"]


def run(image: str, *command: str, binds: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Runs a command in the image as a pod would."""
    options = [part for bind in binds for part in ("--bind", bind)] + [
        part for env in OFFLINE for part in ("--env", env)
    ]
    line = [sys.executable, str(ROOT / "images/run.py"), *options, image, *command]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)


def serve_configs(file: Path) -> Iterator[dict[str, Any]]:
    """What the chart renders for Ray Serve, one configuration per RayService."""
    command = ["helm", "template", "demo", str(CHART), "--namespace", "llm", "--values", str(file)]
    for document in yaml.safe_load_all(subprocess.check_output(command, text=True)):
        if document and document["kind"] == "RayService":
            yield yaml.safe_load(document["spec"]["serveConfigV2"])


def check(image: str, folder: Path, configs: dict[str, dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    """Runs our check on Serve configs, by name."""
    folder.chmod(0o755)
    for name, config in configs.items():
        (folder / name).write_text(yaml.safe_dump(config, sort_keys=False))
    files = [f"/config/{name}" for name in configs]
    return run(image, "python", "-m", "serve_app.models.check", *files, binds=(f"{folder}:/config",))


@pytest.fixture(scope="module")
def demo() -> dict[str, Any]:
    (config,) = serve_configs(ROOT / "values/cpu-demo.yaml")
    return config


def test_every_values_file_builds(image: str, tmp_path: Path) -> None:
    """All in one run: importing vLLM takes longer than building an application."""
    configs = {f"{file.stem}-{number}": config for file in FILES for number, config in enumerate(serve_configs(file))}
    assert {name.rpartition("-")[0] for name in configs} == {file.stem for file in FILES}
    done = check(image, tmp_path, configs)
    assert done.returncode == 0, done.stderr
    lines = [line.split(":")[0] for line in done.stdout.splitlines()]
    assert lines == [application["name"] for config in configs.values() for application in config["applications"]]


def test_unknown_engine_argument_is_named(image: str, tmp_path: Path, demo: dict[str, Any]) -> None:
    args = demo["applications"][0]["args"]
    changed = {**args, "engine": {**args["engine"], "max_modellen": 1}}
    config = demo | {"applications": [demo["applications"][0] | {"args": changed}]}
    done = check(image, tmp_path, {"demo": config})
    assert done.returncode == 1
    assert "engine.max_modellen is not an argument of this vLLM; did you mean max_model_len" in done.stderr


def test_override_that_fits_no_deployment(image: str, tmp_path: Path, demo: dict[str, Any]) -> None:
    application = demo["applications"][0] | {"deployments": [{"name": "LLMServer:other"}]}
    done = check(image, tmp_path, {"demo": demo | {"applications": [application]}})
    assert done.returncode == 1
    assert "the override for 'LLMServer:other' fits no deployment" in done.stderr


def test_ray_refuses(image: str, tmp_path: Path, demo: dict[str, Any]) -> None:
    deployment = demo["applications"][0]["deployments"][0] | {"max_surge_percent": 200}
    config = demo | {"applications": [demo["applications"][0] | {"deployments": [deployment]}]}
    done = check(image, tmp_path, {"demo": config})
    assert done.returncode == 1
    assert "Ray refuses the Serve config: applications.0.deployments.0.max_surge_percent" in done.stderr


def test_engine_arguments_are_those_of_the_image(image: str) -> None:
    done = run(image, "python", "-m", "serve_app.models.engine_arguments")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / "serve_app/settings/engine_arguments.json").read_text(), "generate it anew"


def test_versions_of_the_image(image: str) -> None:
    pinned = yaml.safe_load((ROOT / "versions.yaml").read_text())
    report = json.loads(run(image, "python", "-m", "serve_app.version").stdout)
    assert {name: report[name] for name in ("stack", "ray", "vllm")} == {
        name: pinned[name] for name in ("stack", "ray", "vllm")
    }
