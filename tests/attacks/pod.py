"""The gateway as a pod runs it: one process of its own Python in a memory cgroup, its files as if mounted."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.attacks.cgroup import MemoryCgroup
from tests.bench.gateway.process import free_port

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("RAY_VLLM_STACK_CACHE") or Path.home() / ".cache/ray-vllm-stack")
LIMIT = 512 * 1024 * 1024
"""The chart's default memory limit of a gateway pod."""
ENTER = 'echo $$ > "$1" && ulimit -Sn "$2" && shift 2 && exec "$@"'
ATTACKER, BYSTANDER = "sk-attacker", "sk-bystander"
MIB = 1024 * 1024
_OPEN = ("01", "08")
"""States of a TCP socket: established, and closed by the other side alone."""


def config(upstream: int) -> dict[str, Any]:
    """A gateway's configuration: five models, which are one null model, and short limits of time."""
    model = {"url": f"http://127.0.0.1:{upstream}"}
    return {
        "models": {
            "plain": model,
            "open": model,
            "renamed": model | {"fields": {"max_tokens": "max_completion_tokens"}},
            "narrow": model | {"maxConcurrentRequests": 2},
            "single": model | {"maxConcurrentRequests": 1},
        },
        "routes": {"chat": {"backends": {"open": {}}}},
        "limits": {"bodySeconds": 4, "writeSeconds": 2},
        "retry": {"windowSeconds": 1},
    }


def key_entry(key: str) -> str:
    """An API key's entry, as it is mounted."""
    return json.dumps({"hash": f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"})


def python() -> str:
    """The Python of the gateway's image, if its environment was made; else this one."""
    own = CACHE / "gateway-venv/bin/python"
    return str(own) if own.exists() else sys.executable


class Pod:
    """A running gateway, seen from outside."""

    def __init__(self, folder: Path, upstream: int, cgroup: MemoryCgroup, files: int) -> None:
        self.folder, self.cgroup = folder, cgroup
        self.config, self.keys, self.errors = folder / "gateway.yaml", folder / "keys", folder / "stderr"
        self.configured = config(upstream)
        self.keys.mkdir()
        for name, key in (("attacker", ATTACKER), ("bystander", BYSTANDER)):
            (self.keys / name).write_text(key_entry(key))
        self.configure(self.configured)
        self.port, self.metrics_port = free_port(), free_port()
        checkout = os.environ.get("ATTACKED_CHECKOUT", str(ROOT))
        command = [
            *("sh", "-c", ENTER, "sh", str(cgroup.entry), str(files), python(), "-P", "-m", "serve_app.gateway"),
            *("--config", str(self.config), "--api-keys", str(self.keys), "--host", "127.0.0.1"),
            *("--port", str(self.port), "--metrics-port", str(self.metrics_port)),
            *("--drain-delay-seconds", "0", "--drain-seconds", "1"),
        ]
        self.log_bytes = self.log_lines = 0
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,  # as in a pod; pages of a file would count as the pod's memory
                stderr=errors,
                env=os.environ | {"PYTHONPATH": checkout, "PYTHONUNBUFFERED": "1"},
            )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    @classmethod
    @contextmanager
    def running(cls, folder: Path, upstream: int, files: int) -> Iterator["Pod"]:
        """A gateway that is ready, for as long as the block runs.

        Args:
            folder: An empty folder for its files.
            upstream: The null model's port.
            files: The soft limit of open files that it starts with; the hard limit is this process's own.

        Raises:
            NoCgroupError: There is no memory cgroup to be had.
        """
        with MemoryCgroup.made(f"ray-vllm-stack-attack-{os.getpid()}", LIMIT) as cgroup:
            pod = cls(folder, upstream, cgroup, files)
            try:
                pod.wait_until_ready()
                yield pod
            finally:
                pod.process.kill()
                pod.process.wait()
                pod._reader.join(5)

    def _read_log(self) -> None:
        assert self.process.stdout
        while piece := os.read(self.process.stdout.fileno(), 1 << 16):
            self.log_bytes += len(piece)
            self.log_lines += piece.count(b"\n")

    def configure(self, values: dict[str, Any] | str | bytes) -> None:
        """Writes the configuration file in one step, as the kubelet does."""
        text = yaml.safe_dump(values) if isinstance(values, dict) else values
        new = self.config.with_suffix(".new")
        new.write_bytes(text if isinstance(text, bytes) else text.encode())
        new.replace(self.config)

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Waits for /readyz."""
        end = time.monotonic() + seconds
        while self.alive and time.monotonic() < end:
            if self.get("/readyz")[0] == 200:
                return
            time.sleep(0.05)
        raise AssertionError(f"the gateway did not start: {self.errors.read_text()[-2000:]}")

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    @property
    def killed(self) -> bool:
        """Whether the kernel killed it, or it ended by itself."""
        return self.cgroup.kills > 0 or not self.alive

    def memory(self, field: str = "VmRSS") -> float:
        """Resident memory in MiB: now (VmRSS) or at its peak (VmHWM); 0 for a process that has ended."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0.0
        found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) / 1024 if found else 0.0

    def connections(self) -> int:
        """How many connections of clients it has not closed. (Those to models wait for a while to be used again.)"""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(int(row[1].rpartition(":")[2], 16) == self.port and row[3] in _OPEN for row in rows)

    def get(self, path: str, *, metrics: bool = False, key: str = "") -> tuple[int, str]:
        """GETs a path; status 0 where there was no answer within 5 s."""
        port = self.metrics_port if metrics else self.port
        headers = {"authorization": f"Bearer {key}"} if key else {}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str, *, but: str = "", **labels: str) -> float | None:
        """The sum of a metric over all that has these labels, without one model; None where it cannot be read."""
        status, text = self.get("/metrics", metrics=True)
        if status != 200:
            return None
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(
            sample.value
            for sample in samples
            if sample.name == f"ray_vllm_gateway_{name}"
            and labels.items() <= sample.labels.items()
            and (not but or sample.labels.get("model") != but)
        )
