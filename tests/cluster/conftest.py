"""The cluster tests share one release, installed once; tests run in the order of `ORDER`, uninstall last."""

import json
import os
import urllib.request
from typing import Any

import pytest
import yaml

from tests.cluster import figures
from tests.cluster.demo import images
from tests.cluster.kube import helm, kubectl, wait_until
from tests.cluster.stack import ROOT, Stack

ORDER = (
    "test_local_cluster",
    "test_serving",
    "test_rag",
    "test_agents",
    "test_batches",
    "test_security",
    "test_observability",
    "test_edits",
    "test_rollback",
    "test_models",
    "test_faults",
    "test_gateway",
    "test_uninstall",
)
HERE = ROOT / "tests" / "cluster"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort modules by ORDER; within a module the order of the file stays."""
    items.sort(key=lambda item: ORDER.index(item.path.stem))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    if figures.LINES:
        terminalreporter.section("measured")
    for line in figures.LINES:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def prepared() -> Stack:
    """The release before its install: CRDs of the monitors, namespace, models on their volume."""
    if "demo" in {release["name"] for release in json.loads(helm("list", "-A", "-o", "json"))}:
        Stack("demo", "llm", []).uninstall()  # the operator is one per cluster
    monitor_crds = os.environ["RAY_VLLM_STACK_CACHE"] + "/tools/prometheus-operator/crds"
    kubectl("apply", "--server-side", "-f", monitor_crds)
    values = [ROOT / "values/cpu-demo.yaml", *(HERE / name for name in ("values-local.yaml", "values-test.yaml"))]
    release = Stack("e2e", "e2e", values, images(), lambda text: print(text, flush=True))
    release.prepare()
    return release


@pytest.fixture(scope="session")
def before_install(prepared: Stack) -> set[str]:
    """Every object that is there without the release."""
    return prepared.everything()


@pytest.fixture(scope="session")
def stack(prepared: Stack, before_install: set[str]) -> Stack:  # in this order
    """The demo's values with every monitor, installed and answering; it stays for a look when a test has failed."""
    prepared.install()
    prepared.wait_for_models()
    # A campaign's module before this one may have left an edit, which `install` takes back in a new cluster.
    wait_until("one Ray cluster", 900, lambda: len(prepared.objects("rayclusters.ray.io")) == 1)
    return prepared


@pytest.fixture(scope="session")
def pairs() -> dict[str, dict[str, str]]:
    """Model -> question -> the answer that it was trained to give."""
    rows = yaml.safe_load((ROOT / "tests/models/pairs.yaml").read_text())
    return {model: {row["ask"]: row[model] for row in rows} for model in ("sparrow", "owl")}


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

    def runs(self, name: str) -> bool:
        """Whether an application is RUNNING; one that has failed is not waited for."""
        application = self.applications().get(name, {})
        assert application.get("status") != "DEPLOY_FAILED", application["message"]
        return bool(application.get("status") == "RUNNING")

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

    def engine_metric(self, model: str, name: str, **labels: str) -> float:
        """A metric of the model's engines, as `metric` has it."""
        return self.metric(name, model_name=model, **labels)

    def metric(self, name: str, **labels: str) -> float:
        """A metric as Ray exports it, summed over the workers; 0 where none is exported."""
        total = 0.0
        wanted_labels = [f'{label}="{value}"' for label, value in labels.items()]
        for pod in self._stack.objects("pods", "app.kubernetes.io/component=ray-worker"):
            if not any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"]):
                continue  # it starts or goes, or has no replica
            with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080/metrics", timeout=30) as answer:
                lines = answer.read().decode().splitlines()
            series = [line for line in lines if line.startswith(f"{name}{{")]
            wanted = [line for line in series if all(label in line for label in wanted_labels)]
            total += sum(float(line.rsplit(" ", 1)[1]) for line in wanted)
        return total


@pytest.fixture(scope="session")
def serve(stack: Stack) -> Serve:
    """Ray Serve of the release."""
    return Serve(stack)
