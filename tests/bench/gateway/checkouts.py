"""Checkouts whose gateways are compared, each in an environment of its own lock."""

import hashlib
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOCK = "images/gateway/requirements.txt"


@dataclass(frozen=True)
class Checkout:
    """A gateway's source."""

    name: str
    path: Path
    environment: str = "gateway"
    """Its folder below the peers' environments."""
    module: str = "serve_app.gateway"
    """What is run."""

    @classmethod
    def parse(cls, text: str) -> "Checkout":
        """Reads what `--gateway` is given: a path, or NAME=PATH.

        Raises:
            ValueError: There is no gateway at that path.
        """
        name, mark, path = text.rpartition("=")
        checkout = cls(name if mark else "gateway", Path(path).resolve())
        if not (checkout.path / LOCK).is_file():
            raise ValueError(f"{path} is no checkout: it has no {LOCK}")
        return checkout

    def installed(self) -> "Checkout":
        """The checkout with an environment that holds what its own lock says; made if it is not there.

        Raises:
            CalledProcessError: It cannot be made.
        """
        lock = (self.path / LOCK).read_bytes()
        own = lock == (ROOT / LOCK).read_bytes()
        name = "gateway" if own else f"lock-{hashlib.sha256(lock).hexdigest()[:12]}"
        python = subprocess.check_output([ROOT / "tests/tools/gateway_python.sh"], text=True).strip()
        relative = os.path.relpath(self.path / LOCK, ROOT)  # as venv.sh wants it
        command = [str(ROOT / "tests/tools/venv.sh"), f"bench/{name}", relative]
        subprocess.run(command, check=True, env=os.environ | {"PYTHON": python}, stdout=subprocess.DEVNULL)
        return replace(self, environment=name)


ON_AIOHTTP = Checkout("gateway on aiohttp", ROOT, module="tests.bench.gateway.aiohttp_upstream")
"""This checkout's gateway with another HTTP client."""
