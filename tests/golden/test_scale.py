"""What many models cost: Helm's time, and the size of the Secret in which it keeps a release, which may have 1 MiB."""

import base64
import gzip
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.golden.rendering import CHART


def values_of(models: int) -> str:
    """Values with so many models, each with a price, a variable and a route of its own."""
    names = [f"model-{number}" for number in range(models)]
    entry = {"accelerator": "l4", "price": {"promptPerMillion": 1}, "env": {"A": "b"}}
    return yaml.safe_dump(
        {
            "models": {name: entry | {"source": f"hf://org/{name}"} for name in names},
            "routes": {f"to-{name}": {"backends": {name: {}}} for name in names},
            "acceleratorDefaults": {"maxWorkers": 400},
        }
    )


@pytest.mark.parametrize(("models", "seconds"), [(100, 2), (300, 4)])
def test_many_models_are_rendered_in_time(tmp_path: Path, models: int, seconds: float) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(values_of(models))
    before = os.times()
    install = ["helm", "install", "x", str(CHART), "-f", str(values), "--dry-run=client", "-o", "json"]
    release = subprocess.run([*install, "--kubeconfig", os.devnull], capture_output=True, check=True).stdout
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert used < seconds
    assert len(base64.b64encode(gzip.compress(release))) < 350_000
