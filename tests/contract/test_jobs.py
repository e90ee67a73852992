"""A job as the chart renders it makes a processor that the pinned Ray and vLLM take, without a GPU."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_serve_config import CHART, ROOT, image, run

__all__ = ["image"]

CHECK = """
import dataclasses, json, sys
from serve_app.jobs import processor
from serve_app.jobs.errors import JobError
from serve_app.settings.job import JobSettings
from serve_app.version import check_pair
from ray.llm._internal.batch.stages import vLLMEngineStage
from vllm import AsyncEngineArgs

told = {}
for name, text in json.load(open(sys.argv[1])).items():
    settings = JobSettings.parse(text)
    check_pair(settings.model.versions.ray, settings.model.versions.vllm)
    try:
        config = processor.config(settings)
    except JobError as error:
        told[name] = str(error)
        continue
    engine = {key: value for key, value in config.engine_kwargs.items() if key != "task_type"}
    AsyncEngineArgs(model="/config", **engine)  # a folder that is there
    stage = vLLMEngineStage(
        fn_constructor_kwargs={
            "engine_kwargs": dict(config.engine_kwargs), "placement_group_config": dict(config.placement_group_config)
        },
        map_batches_kwargs={"accelerator_type": config.accelerator_type},
    )
    asked = processor.asked(settings, {"part": "p", "number": 0, "given": json.dumps({settings.column: "x"})})
    told[name] = {
        "source": config.model_source,
        "task": config.task_type,
        "engine": engine,
        "concurrency": config.concurrency,
        "chat": config.chat_template_stage["enabled"],
        "actor": {key: stage.map_batches_kwargs.get(key) for key in ("num_gpus", "resources")},
        "asked": {key: asked[key] for key in ("messages", "prompt", "sampling_params") if key in asked},
    }
print(json.dumps(told))
"""
PLACES = {"input": "pvc://files/in", "output": "pvc://files/out", "column": "text"}
VALUES = {
    "models": {
        "sparrow": {"source": "pvc://demo-models/sparrow", "accelerator": "cpu", "engine": {"max_model_len": 256}},
        "minilm": {"task": "embed", "source": "pvc://demo-models/minilm", "accelerator": "cpu", "enabled": False},
    },
    "jobs": {
        "talk": {"model": "sparrow", **PLACES, "sampling": {"max_tokens": 8}, "workers": {"min": 1, "max": 2}},
        "plain": {"model": "sparrow", **PLACES, "output": "pvc://files/plain", "chat": False},
        "vectors": {"model": "minilm", **PLACES, "output": "pvc://files/vectors"},
        "wrong": {"model": "sparrow", **PLACES, "output": "pvc://files/wrong", "sampling": {"max_token": 8}},
    },
}


def settings_of(files: list[Path]) -> dict[str, str]:
    """What the chart renders for each job."""
    command = ["helm", "template", "demo", str(CHART), "--namespace", "llm", "-s", "templates/jobs/ray-job.yaml"]
    rendered = subprocess.check_output([*command, *(word for file in files for word in ("-f", str(file)))], text=True)
    found = {}
    for job in filter(None, yaml.safe_load_all(rendered)):
        text = yaml.safe_load(job["spec"]["runtimeEnvYAML"])["env_vars"]["JOB_SETTINGS"]
        found[json.loads(text)["job_id"]] = text
    return found


@pytest.fixture(scope="module")
def told(image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("jobs")
    folder.chmod(0o755)
    (folder / "values.yaml").write_text(yaml.safe_dump(VALUES))
    jobs = settings_of([folder / "values.yaml"]) | settings_of([ROOT / "values/batch.yaml"])
    (folder / "jobs.json").write_text(json.dumps(jobs))
    (folder / "check.py").write_text(CHECK)
    done = run(image, "python", "/config/check.py", "/config/jobs.json", binds=(f"{folder}:/config",))
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_job_takes_the_model_s_own_settings(told: dict[str, Any]) -> None:
    talk = told["talk"]
    assert (talk["source"], talk["task"], talk["concurrency"]) == (
        "/mnt/models/demo-models/sparrow",
        "generate",
        [1, 2],
    )
    assert talk["engine"]["max_model_len"] == 256
    assert talk["actor"]["resources"] == {"accelerator-class-cpu": 0.001}
    assert not talk["actor"]["num_gpus"]


def test_what_is_asked(told: dict[str, Any]) -> None:
    messages = [{"role": "user", "content": "x"}]
    assert told["talk"]["asked"] == {"messages": messages, "sampling_params": {"max_tokens": 8}}
    assert (told["talk"]["chat"], told["plain"]["chat"]) == (True, False)
    assert told["plain"]["asked"] == {"prompt": "x", "sampling_params": {}}
    assert told["vectors"]["asked"] == {"prompt": "x"}
    assert (told["vectors"]["task"], told["vectors"]["chat"]) == ("embed", False)


def test_a_gpu_is_asked_of_ray(told: dict[str, Any]) -> None:
    assert told["reviews"]["actor"] == {"num_gpus": 1, "resources": {"accelerator-class-l4": 0.001}}
    assert told["reviews"]["engine"]["scheduling_policy"] == "priority"


def test_a_sampling_parameter_that_vllm_does_not_know(told: dict[str, Any]) -> None:
    assert told["wrong"].startswith("jobs.wrong.sampling: ")
    assert "max_token" in told["wrong"]
