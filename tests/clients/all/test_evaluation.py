"""Benchmarks and evaluations: guidellm, lm-eval."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients import engines
from tests.clients.all.conftest import install
from tests.clients.conftest import ANSWERS, KEY

QUESTIONS = [*ANSWERS][:6]


@pytest.fixture(scope="session")
def evaluation() -> Path:
    return install("evaluation")


@pytest.fixture(scope="session")
def tokenizers() -> Path:
    """The folder of the models, where both tools find the tokenizer."""
    script = engines.ROOT / "tests/models/train.sh"
    return Path(subprocess.check_output([script, engines.serve_image()], text=True).strip())


def test_guidellm(gateway: str, evaluation: Path, tokenizers: Path, tmp_path: Path) -> None:
    """In the serve image, whose torch its data loader borrows. It looks at /health first."""
    (packages,) = evaluation.glob("lib/python3*/site-packages")
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)  # pytest's own are closed to the container's user
    tmp_path.chmod(0o777)
    (tmp_path / "prompts.jsonl").write_text((json.dumps({"prompt": QUESTIONS[0]}) + "\n") * 20)
    command = [sys.executable, str(engines.ROOT / "images/run.py")]
    command += [f"--bind={packages}:/clients", f"--bind={tokenizers}:/models", f"--bind={tmp_path}:/out:rw"]
    command += ["--env=PYTHONPATH=/clients", "--env=HF_HUB_OFFLINE=1", "--env=HOME=/tmp", engines.serve_image()]
    command += ["python", "-m", "guidellm", "run", "--disable-console"]
    command += ["--backend", f"kind=openai_http,target={gateway},model=sparrow,api_key={KEY}"]
    command += ["--profile", "kind=concurrent,streams=2", "--constraint", "kind=max_requests,count=20"]
    command += ["--data", "kind=json_file,path=/out/prompts.jsonl", "--tokenizer", "kind=hf_auto,model=/models/sparrow"]
    done = subprocess.run(
        [*command, "--output", "kind=json,path=/out/out.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (benchmark,) = json.loads((tmp_path / "out.json").read_text())["benchmarks"]
    assert benchmark["metrics"]["request_totals"] == {"successful": 20, "errored": 0, "incomplete": 0, "total": 20}


TASK: dict[str, Any] = {"dataset_path": "json", "test_split": "test"}
TASKS: dict[str, tuple[str, str, dict[str, Any]]] = {
    # lm-eval's model -> path, tokenizer, and how the task asks: for text, or for what choices are likely.
    "local-chat-completions": (
        "chat/completions",
        "tokenizer_backend=none",
        {
            "output_type": "generate_until",
            "doc_to_text": "{{question}}",
            "doc_to_target": "{{answer}}",
            "generation_kwargs": {"until": [], "max_gen_toks": 100, "temperature": 0, "do_sample": False},
            "metric_list": [{"metric": "exact_match"}],
        },
    ),
    "local-completions": (
        "completions",
        "tokenizer={models}/sparrow",
        {
            "output_type": "multiple_choice",
            "doc_to_text": "Question: {{question}}\nAnswer:",
            "doc_to_choice": ["{{answer}}", "{{wrong}}"],
            "doc_to_target": 0,
            "metric_list": [{"metric": "acc"}],
        },
    ),
}


@pytest.mark.parametrize("model", TASKS)
def test_lm_eval(
    model: str, gateway: str, surroundings: dict[str, str], evaluation: Path, tokenizers: Path, tmp_path: Path
) -> None:
    path, tokenizer, task = TASKS[model]
    rows = [
        {"question": question, "answer": ANSWERS[question], "wrong": ANSWERS[other]}
        for question, other in zip(QUESTIONS, QUESTIONS[1:] + QUESTIONS[:1], strict=True)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = {"dataset_kwargs": {"data_files": {"test": str(tmp_path / "rows.jsonl")}}}
    (tmp_path / "birds.yaml").write_text(yaml.safe_dump({"task": "birds", **TASK, **files, **task}))
    command = [str(evaluation / "bin/lm-eval"), "run", "--model", model, "--tasks", "birds", "--include_path", "."]
    place = f"model=sparrow,base_url={gateway}/v1/{path},num_concurrent=2,max_retries=1"
    command += ["--model_args", f"{place},{tokenizer.format(models=tokenizers)}", "--output_path", "results"]
    command += ["--apply_chat_template"] if "chat" in model else []
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=surroundings, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (results,) = (tmp_path / "results").glob("*/results_*.json")
    (metric,) = (entry["metric"] for entry in task["metric_list"])
    assert json.loads(results.read_text())["results"]["birds"][f"{metric},none"] == 1
