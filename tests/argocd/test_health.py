"""The health checks of deploy/argocd, in the interpreter of Argo CD, on the states that KubeRay and Karpenter write."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHECKS = yaml.safe_load((ROOT / "deploy/argocd/argocd-cm.yaml").read_text())["data"]
RUNS = {"status": "RUNNING"}
SLOW = "1 replicas that have taken more than 300s to initialize."
STARTS = {
    "status": "DEPLOYING",
    "serveDeploymentStatuses": {"LLMServer:owl": {"status": "UPDATING", "message": SLOW}},
}
FAILS = {
    "status": "DEPLOY_FAILED",
    "message": "Failed to update the deployments ['LLMServer:owl'].",
    "serveDeploymentStatuses": {
        "LLMServer:owl": {"status": "DEPLOY_FAILED", "message": "max_model_len (2048) is greater than 256"}
    },
}


@pytest.fixture
def health(tmp_path: Path) -> Any:
    """Asks a check: the kind with its group, and the object."""

    def ask(kind: str, obj: dict[str, Any]) -> tuple[str, str]:
        script = tmp_path / "health.lua"
        script.write_text(CHECKS[f"resource.customizations.health.{kind}"])
        done = subprocess.run(["argolua", script], input=json.dumps(obj), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        return answer["status"], answer["message"]

    return ask


def service(
    active: dict[str, Any], pending: dict[str, Any] | None = None, *, ready: bool = True, upgrading: bool = False
) -> dict[str, Any]:
    """A RayService with these applications on its clusters."""
    conditions = [
        {"type": "Ready", "status": str(ready), "message": "Number of serve endpoints is greater than 0"},
        {"type": "UpgradeInProgress", "status": str(upgrading), "message": "Active Ray cluster exists"},
    ]
    status: dict[str, Any] = {
        "observedGeneration": 3,
        "conditions": conditions,
        "activeServiceStatus": {"applicationStatuses": active},
    }
    if pending is not None:
        status["pendingServiceStatus"] = {"applicationStatuses": pending}
    return {"metadata": {"generation": 3}, "spec": {"rayClusterConfig": {}}, "status": status}


@pytest.mark.parametrize(
    ("obj", "status", "message"),
    [
        (service({"owl": RUNS, "sparrow": RUNS}), "Healthy", "2 applications run"),
        (service({"owl": STARTS, "sparrow": RUNS}), "Progressing", f"owl is DEPLOYING: {SLOW}"),
        (service({"owl": FAILS, "sparrow": RUNS}), "Degraded", "owl is DEPLOY_FAILED: max_model_len (2048) is greater"),
        (service({"owl": {"status": "UNHEALTHY"}}), "Degraded", "owl is UNHEALTHY"),
        (service({"owl": RUNS}, {"owl": FAILS}), "Degraded", "owl on the new Ray cluster is DEPLOY_FAILED"),
        (service({"owl": RUNS}, {"owl": STARTS}), "Progressing", "owl on the new Ray cluster is DEPLOYING"),
        (service({"owl": RUNS}, upgrading=True), "Progressing", "a new Ray cluster takes over"),
        (service({}, ready=False), "Progressing", "Number of serve endpoints"),
        ({"metadata": {"generation": 1}, "spec": {}}, "Progressing", "KubeRay has not seen this change yet"),
        (service({"owl": RUNS}) | {"metadata": {"generation": 4}}, "Progressing", "KubeRay has not seen this change"),
        (service({}) | {"spec": {"rayClusterConfig": {"suspend": True}}}, "Suspended", "suspended"),
    ],
)
def test_rayservice(health: Any, obj: dict[str, Any], status: str, message: str) -> None:
    found = health("ray.io_RayService", obj)
    assert found[0] == status
    assert found[1].startswith(message) or message in found[1]


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("ray.io_RayCluster", None, "Progressing"),
        ("ray.io_RayCluster", {"state": "ready"}, "Healthy"),
        ("ray.io_RayCluster", {"state": "failed", "reason": "quota"}, "Degraded"),
        (
            "ray.io_RayCluster",
            {"state": "ready", "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}]},
            "Degraded",
        ),
        ("ray.io_RayJob", None, "Progressing"),
        ("ray.io_RayJob", {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"}, "Progressing"),
        ("ray.io_RayJob", {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}, "Healthy"),
        ("ray.io_RayJob", {"jobDeploymentStatus": "Complete", "jobStatus": "FAILED"}, "Degraded"),
        ("ray.io_RayJob", {"jobDeploymentStatus": "Failed", "message": "deadline"}, "Degraded"),
        ("ray.io_RayJob", {"jobDeploymentStatus": "Suspended"}, "Suspended"),
        ("karpenter.sh_NodePool", None, "Progressing"),
        ("karpenter.sh_NodePool", {"conditions": [{"type": "Ready", "status": "True"}]}, "Healthy"),
        (
            "karpenter.sh_NodePool",
            {"conditions": [{"type": "Ready", "status": "False", "reason": "NodeClassNotReady"}]},
            "Degraded",
        ),
    ],
)
def test_other_kinds(health: Any, kind: str, status: dict[str, Any] | None, expected: str) -> None:
    obj: dict[str, Any] = {"metadata": {"generation": 1}, "spec": {}}
    assert health(kind, obj | ({"status": status} if status else {}))[0] == expected
