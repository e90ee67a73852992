"""KubeRay's own rules, as tests/tools/kuberay-rules asks them."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serve_app.impact.manifests import Object

Ask = Callable[[Object, Object], dict[str, bool]]


def tool() -> Path:
    found = shutil.which("kuberay-rules")
    assert found, "kuberay-rules is not built, run tests/tools/build.sh kuberay-rules"
    return Path(found).resolve()


def crd() -> Path:
    return tool().parents[1] / "ray.io_rayservices.yaml"


@pytest.fixture(scope="session")
def kuberay() -> Iterator[Ask]:
    """KubeRay's own answer for a RayService before and after."""
    command = [str(tool()), str(crd())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout

        def ask(old: Object, new: Object) -> dict[str, bool]:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps({"old": old, "new": new}) + "\n")
            process.stdin.flush()
            answer: dict[str, bool] = json.loads(process.stdout.readline())
            return answer

        yield ask
        process.stdin.close()
