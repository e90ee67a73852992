"""A real Prometheus on the cluster, run by the real operator, and what it answers."""

import contextlib
import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.kube import kubectl, wait_until

HERE = Path(__file__).parent
NAMESPACE = "prometheus-test"
IMAGES = ("prometheus", "prometheus-operator", "prometheus-config-reloader")


@dataclass(frozen=True)
class Prometheus:
    """Its HTTP API, at its pod."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """An instant query's series."""
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def targets(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Monitor and port -> the targets that it selects, as labels, `health` and `lastError`."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for target in self.get("targets", state="active")["activeTargets"]:
            monitor = target["scrapePool"].rsplit("/", 1)[0]
            entry = {**target["labels"], "health": target["health"], "lastError": target["lastError"]}
            found.setdefault((monitor, target["labels"]["endpoint"]), []).append(entry)
        return found

    def metrics(self) -> set[str]:
        """Names of all metrics that it has seen."""
        return set(self.get("label/__name__/values"))


@contextlib.contextmanager
def running() -> Iterator[Prometheus]:
    """Start the operator and a Prometheus that takes every monitor labelled `release: prometheus-test`."""
    subprocess.run([str(HERE.parent / "images.sh"), *IMAGES], check=True, stdout=subprocess.DEVNULL)
    kubectl("apply", "--server-side", "-f", str(HERE))
    pod: dict[str, Any] = {}

    def ready() -> bool:
        pod.update(json.loads(kubectl("-n", NAMESPACE, "get", "pod", "prometheus-test-0", "-o", "json")))
        return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))

    try:
        wait_until("Prometheus to be ready", 120, ready)
        yield Prometheus(f"http://{pod['status']['podIP']}:9090")
    finally:
        kubectl("delete", "-f", str(HERE), "--ignore-not-found", "--timeout=120s")
