"""The simulation brought up, and what can be done to its market."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.simulation.instance_types import provider_file

HERE = Path(__file__).parent
STATE = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "simulation"


@contextmanager
def control_plane() -> Iterator[None]:
    """The simulation is up, and kubectl is its own; it stays up with KEEP=1 in the environment."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as types:
        types.write(provider_file())
        types.flush()
        subprocess.run([HERE / "up.sh", types.name], check=True)
    before = os.environ.get("KUBECONFIG")
    os.environ["KUBECONFIG"] = str(STATE / "admin.kubeconfig")
    try:
        yield
    finally:
        del os.environ["KUBECONFIG"]
        os.environ |= {"KUBECONFIG": before} if before else {}
        if not os.environ.get("KEEP"):
            subprocess.run([HERE / "down.sh"], check=True)


class Dry:
    """What EC2 has none of."""

    _FILE = STATE / "dry-offerings.json"
    _KEYS = {  # noqa: RUF012
        "capacity_type": "karpenter.sh/capacity-type",
        "zone": "topology.kubernetes.io/zone",
        "gpu_name": "karpenter.k8s.aws/instance-gpu-name",
    }

    def __call__(self, **labels: str) -> None:
        """Offerings that have all of these labels have no capacity from now on."""
        dry = json.loads(self._FILE.read_text()) if self._FILE.exists() else []
        new = self._FILE.with_suffix(".new")
        new.write_text(json.dumps([*dry, {self._KEYS[key]: value for key, value in labels.items()}]))
        new.replace(self._FILE)

    def end(self) -> None:
        """Everything has capacity again."""
        self._FILE.unlink(missing_ok=True)
