"""The built images under test: which they are, what they say of themselves, and how to run a command in one."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
Completed = subprocess.CompletedProcess[str]


def library(command: str, *arguments: str) -> str:
    """Runs a line of bash that may use the functions of images/lib.sh."""
    line = ["bash", "-c", f'. "$0"; {command}', str(ROOT / "images/lib.sh"), *arguments]
    return subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@dataclass(frozen=True)
class Image:
    """One built image."""

    ref: str
    engine: str

    @cached_property
    def inspected(self) -> dict[str, Any]:
        """What the engine knows of it."""
        if self.engine == "docker":
            [image] = json.loads(library('docker image inspect "$1"', self.ref))
        else:
            image = json.loads(library('bah inspect --type image "$1"', self.ref))
        assert isinstance(image, dict)
        return image

    @property
    def config(self) -> dict[str, Any]:
        """The user, environment, labels and command that a container gets."""
        found = self.inspected["Config"] if self.engine == "docker" else self.inspected["OCIv1"]["config"]
        assert isinstance(found, dict)
        return found

    @property
    def layers(self) -> list[str]:
        """The digests of the unpacked layers, from the base up."""
        found = self.inspected["RootFS"]["Layers"] if self.engine == "docker" else None
        return list(found or self.inspected["OCIv1"]["rootfs"]["diff_ids"])

    @property
    def megabytes(self) -> float:
        """The size of all layers, unpacked."""
        if self.engine == "docker":
            return float(self.inspected["Size"]) / 1e6
        return float(sum(layer["size"] for layer in json.loads(self.inspected["Manifest"])["layers"])) / 1e6

    def run(self, *command: str, options: tuple[str, ...] = ()) -> Completed:
        """Runs a command in it as a pod would."""
        line = [sys.executable, str(ROOT / "images/run.py"), "--engine", self.engine, *options, self.ref, *command]
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)

    def output(self, *command: str, options: tuple[str, ...] = ()) -> str:
        """Runs a command that must succeed, and returns what it printed."""
        done = self.run(*command, options=options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def versions() -> dict[str, Any]:
    """The one place for versions."""
    loaded = yaml.safe_load((ROOT / "versions.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="session")
def built() -> Callable[[str], Image]:
    """Finds an image by its name for images/build.sh; an image that is not built from this tree is a failure."""
    engine = library("pick_engine auto")

    def find(name: str) -> Image:
        names = subprocess.check_output([ROOT / "images/build.sh", "--names", name], text=True)
        ref = names.strip().partition("=")[2]
        there = library('have_image "$1" "$2" && echo yes || true', engine, ref)
        assert there, f"{ref} is not built; run: images/build.sh {name}"
        return Image(ref, engine)

    return find


@pytest.fixture(scope="session")
def serve(built: Callable[[str], Image]) -> Image:
    """The serve image for CPUs."""
    return built("serve-cpu")


@pytest.fixture(scope="session")
def gateway(built: Callable[[str], Image]) -> Image:
    """The gateway image."""
    return built("gateway")


@pytest.fixture(scope="session")
def data(built: Callable[[str], Image]) -> Image:
    """The data component's image."""
    return built("data")


@pytest.fixture(params=["serve", "gateway", "data"])
def image(request: pytest.FixtureRequest) -> Image:
    """Each of our images in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Image)
    return found
