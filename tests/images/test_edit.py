"""A one-line edit of serve_app costs one small layer: to build, and to bring into the cluster."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images.conftest import ROOT, Image, library

PARTS = ("images", "serve_app", "versions.yaml", ".dockerignore")


@pytest.fixture
def edited(serve: Image, tmp_path: Path) -> Iterator[Path]:
    """A copy of what the image is made of, with one line changed. What is built from it is forgotten at the end."""
    for part in PARTS:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, tmp_path / part)
    with (tmp_path / "serve_app/__init__.py").open("a") as file:
        file.write(f"EDITED = {time.time()}\n")
    yield tmp_path
    subprocess.run([ROOT / "images/build.sh", "serve-cpu"], check=True, capture_output=True)
    ref = (
        subprocess.check_output([tmp_path / "images/build.sh", "--names", "serve-cpu"], text=True)
        .strip()
        .partition("=")[2]
    )
    library('bah rmi "$1" >/dev/null 2>&1 || docker rmi "$1" >/dev/null 2>&1 || true', ref)
    containerd = 'ctr --address "$cache/cluster/run/containerd.sock" --namespace k8s.io'
    library(f'{containerd} images rm "$1" >/dev/null 2>&1 || true', ref)


@pytest.mark.usefixtures("serve")
def test_an_edit_is_one_layer_to_build_and_to_load(edited: Path, serve: Image) -> None:
    if serve.engine == "docker":
        pytest.fail("layers are taken over one by one only from buildah: apt-get install buildah")
    assert Path(library('echo "$cache/cluster/run/containerd.sock"')).exists(), "start the local cluster: make cluster"
    subprocess.run([ROOT / "images/load.sh", serve.ref], check=True, capture_output=True)
    start = time.monotonic()
    built = subprocess.run([edited / "images/build.sh", "serve-cpu"], check=True, capture_output=True, text=True)
    ref = built.stdout.strip().partition("=")[2]
    loaded = subprocess.run([ROOT / "images/load.sh", ref], check=True, capture_output=True, text=True)
    seconds = time.monotonic() - start
    image = Image(ref, serve.engine)
    assert image.layers[:-1] == serve.layers[:-1]
    assert image.layers[-1] != serve.layers[-1]
    assert f"1 of {len(image.layers)} layers were new" in loaded.stderr
    print(f"a one-line edit of serve_app: {seconds:.1f} s to build and load")
    assert seconds < 30
