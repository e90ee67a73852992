"""kubectl and helm on the cluster of the current kubeconfig, as a user would type them; killing a container."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _run(command: list[str], input: str | None) -> str:  # noqa: A002
    done = subprocess.run(command, input=input, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def kubectl(*arguments: str, input: str | None = None) -> str:  # noqa: A002
    """Run kubectl and give its standard output.

    Raises:
        RuntimeError: it failed; the message holds the command and its standard error.
    """
    return _run(["kubectl", *arguments], input)


def helm(*arguments: str, input: str | None = None) -> str:  # noqa: A002
    """Run helm, as `kubectl` does."""
    return _run(["helm", *arguments], input)


def wait_until(what: str, seconds: float, condition: Callable[[], bool], pause: float = 0.3) -> None:
    """Ask `condition` until it holds; a RuntimeError of it counts as not yet.

    Raises:
        TimeoutError: it did not hold within `seconds`; the message says `what` and the last error.
    """
    deadline = time.monotonic() + seconds
    error = ""
    while True:
        try:
            if condition():
                return
            error = ""
        except RuntimeError as raised:
            error = f": {raised}"
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}{error}")
        time.sleep(pause)


def apply_crds(path: Path) -> None:
    """Apply the CRDs of a file or folder, and wait until the API server knows their kinds."""
    kubectl("apply", "--server-side", "-f", str(path))
    # `kubectl wait` fails on one that has no conditions yet.
    said = "their kinds to be known"
    wait_until(said, 60, lambda: bool(kubectl("wait", "--for=condition=Established", "-f", str(path), "--timeout=30s")))


def memory(namespace: str) -> dict[tuple[str, str], float]:
    """Pod and container -> working set in MiB, as the kubelet of the one node knows it."""
    node = kubectl("get", "nodes", "-o", "name").split("/")[1].strip()
    summary = json.loads(kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary"))
    return {
        (pod["podRef"]["name"], container["name"]): container["memory"]["workingSetBytes"] / 2**20
        for pod in summary["pods"]
        if pod["podRef"]["namespace"] == namespace
        for container in pod.get("containers", [])
    }


def container(pod: dict[str, Any]) -> str:
    """The id of a pod's first container; another one after a restart."""
    return str(pod["status"]["containerStatuses"][0]["containerID"]).removeprefix("containerd://")


def kill(pod: dict[str, Any]) -> None:
    """SIGKILL to the container's process, as a lost node or the OOM killer does it; a forced delete still drains."""
    socket = f"{os.environ['RAY_VLLM_STACK_CACHE']}/cluster/run/containerd.sock"
    subprocess.run(["ctr", "-a", socket, "-n", "k8s.io", "task", "kill", "-s", "SIGKILL", container(pod)], check=True)
