"""Values that cannot work are refused at render, by the schema or by the chart's guards, with a sentence that helps."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "ray-vllm-stack"
DEMO = ROOT / "values" / "cpu-demo.yaml"
CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("invalid-values.yaml").read_text())


def render(helm: str, file: Path) -> subprocess.CompletedProcess[str]:
    """Renders the chart as `helm install demo` in namespace llm would."""
    command = [helm, "template", "demo", str(CHART), "--namespace", "llm", "--values", str(DEMO), "--values", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_refused(tmp_path: Path, case: dict[str, Any]) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(case["values"]))
    done = render("helm", file)
    assert done.returncode != 0, "rendered"
    assert case["says"] in done.stderr


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_demo_is_not_refused(tmp_path: Path, helm: str) -> None:
    """What the cases above are merged over renders, so that each is refused for its own fault; by both Helms."""
    file = tmp_path / "values.yaml"
    file.write_text("{}")
    done = render(helm, file)
    assert done.returncode == 0, done.stderr


def test_names_are_unique_and_many() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES) >= 25
