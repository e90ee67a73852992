"""The cluster tests share one release, installed once; tests run in the order of `ORDER`, uninstall last."""

import json
import os
import urllib.request
from typing import Any

import pytest
import yaml

from tests.cluster.demo import images
from tests.cluster.kube import helm, kubectl
from tests.cluster.stack import ROOT, Stack

ORDER = (
    "test_local_cluster",
    "test_serving",
    "test_security",
    "test_edits",
    "test_observability",
    "test_faults",
    "test_uninstall",
)
HERE = ROOT / "tests" / "cluster"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort modules by ORDER; within a module the order of the file stays."""
    items.sort(key=lambda item: ORDER.index(item.path.stem))


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The demo's values with every monitor, installed and answering; it stays for a look when a test has failed."""
    if "demo" in {release["name"] for release in json.loads(helm("list", "-A", "-o", "json"))}:
        Stack("demo", "llm", []).uninstall()  # the operator is one per cluster
    monitor_crds = os.environ["RAY_VLLM_STACK_CACHE"] + "/tools/prometheus-operator/crds"
    kubectl("apply", "--server-side", "-f", monitor_crds)
    values = [ROOT / "values/cpu-demo.yaml", *(HERE / name for name in ("values-local.yaml", "values-test.yaml"))]
    release = Stack("e2e", "e2e", values, images(), lambda text: print(text, flush=True))
    release.prepare()
    release.install()
    release.wait_for_models()
    return release


@pytest.fixture(scope="session")
def pairs() -> dict[str, dict[str, str]]:
    """Model -> question -> the answer that it was trained to give."""
    rows = yaml.safe_load((ROOT / "tests/models/pairs.yaml").read_text())
    return {model: {row["question"]: row[model] for row in rows} for model in ("sparrow", "owl")}


class Serve:
    """What Ray Serve and the engines of the release say of themselves, asked at the pods."""

    def __init__(self, stack: Stack) -> None:
        """Ask the pods of this release."""
        self._stack = stack

    def applications(self) -> dict[str, Any]:
        """The head's own account of all applications."""
        selector = "app.kubernetes.io/component=ray-head"
        heads = [
            pod
            for pod in self._stack.objects("pods", selector)
            if pod["status"].get("podIP") and not pod["metadata"].get("deletionTimestamp")
        ]
        with urllib.request.urlopen(
            f"http://{heads[0]['status']['podIP']}:8265/api/serve/applications/", timeout=30
        ) as answer:
            found: dict[str, Any] = json.load(answer)["applications"]
        return found

    def replicas(self, *models: str) -> dict[str, set[str]]:
        """Model -> ids of its running engine replicas."""
        applications = self.applications()
        return {
            model: {
                replica["replica_id"]
                for name, deployment in applications[model]["deployments"].items()
                if name.startswith("LLMServer")
                for replica in deployment["replicas"]
                if replica["state"] == "RUNNING"
            }
            for model in models
        }

    def engine_metric(self, model: str, name: str) -> float:
        """A metric of the model's vLLM, from its own /metrics, summed over its label sets."""
        service = json.loads(
            self._stack.kubectl("get", "service", f"{self._stack.fullname}-main-serve-svc", "-o", "json")
        )
        url = f"http://{service['spec']['clusterIP']}:8000/models/{model}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))


@pytest.fixture(scope="session")
def serve(stack: Stack) -> Serve:
    """Ray Serve of the release."""
    return Serve(stack)
