"""The simulation is brought up once for all its tests, and taken down after them; not with KEEP=1, for the next run."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import pytest_terminal_summary
from tests.simulation.instance_types import provider_file

__all__ = ["dry", "pytest_terminal_summary", "simulation"]
HERE = Path(__file__).parent
STATE = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "simulation"


@pytest.fixture(scope="session", autouse=True)
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Control plane, Karpenter, KubeRay's operator and kwok; the directory of their logs."""
    types = tmp_path_factory.mktemp("simulation") / "instance-types.json"
    types.write_text(provider_file())
    subprocess.run([HERE / "up.sh", types], check=True)
    before, os.environ["KUBECONFIG"] = os.environ.get("KUBECONFIG"), str(STATE / "admin.kubeconfig")
    yield STATE / "log"
    if before is None:
        del os.environ["KUBECONFIG"]
    else:
        os.environ["KUBECONFIG"] = before
    if not os.environ.get("KEEP"):
        subprocess.run([HERE / "down.sh"], check=True)


class Dry:
    """What EC2 has none of."""

    def __call__(self, **labels: str) -> None:
        """Offerings with these labels, by the end of their keys, have no capacity from now on."""
        keys = {
            "capacity_type": "karpenter.sh/capacity-type",
            "zone": "topology.kubernetes.io/zone",
            "instance_type": "node.kubernetes.io/instance-type",
            "gpu_name": "karpenter.k8s.aws/instance-gpu-name",
        }
        file = STATE / "dry-offerings.json"
        dry = json.loads(file.read_text()) if file.exists() else []
        new = file.with_suffix(".new")
        new.write_text(json.dumps([*dry, {keys[key]: value for key, value in labels.items()}]))
        new.replace(file)

    def end(self) -> None:
        """Everything has capacity again."""
        (STATE / "dry-offerings.json").unlink(missing_ok=True)


@pytest.fixture
def dry() -> Iterator[Dry]:
    """A market that runs dry for one test."""
    market = Dry()
    yield market
    market.end()
