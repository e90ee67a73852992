"""Clients' programs, in the environment that tests/clients has for them."""

import json
import os
import subprocess

from tests.cluster.stack import ROOT, Stack


def ask_as_frameworks_do(stack: Stack, model: str, question: str) -> dict[str, str]:
    """What LangChain and LlamaIndex get of a pipeline, by how they asked; unmodified, for they know models only."""
    lock = "tests/clients/requirements.txt"
    environment = subprocess.check_output([ROOT / "tests/tools/venv.sh", "clients-venv", lock], text=True).strip()
    place = {"OPENAI_BASE_URL": f"{stack.url}/v1", "OPENAI_API_KEY": stack.api_key}
    done = subprocess.run(
        [f"{environment}/bin/python", ROOT / "tests/clients/programs/pipeline_app.py"],
        env={**os.environ, **place, "MODEL": model, "QUESTION": question},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout.splitlines()[-1])
    assert printed.pop("langchain usage")["total_tokens"] > 0
    return printed
