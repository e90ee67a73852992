"""A roll that fails, and the way back: the old replicas answer all the time, and everybody is told."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.conftest import Serve
from tests.cluster.kube import helm, wait_until
from tests.cluster.load import Load
from tests.cluster.stack import ROOT, Stack, applications
from tests.cluster.test_edits import RATES, gateway_pods, ray_cluster

CHECKS = yaml.safe_load((ROOT / "deploy/argocd/argocd-cm.yaml").read_text())["data"]


def revision(stack: Stack) -> int:
    """The revision that runs: a later one may have been stopped by the guard."""
    rows = json.loads(helm("history", stack.release, "-n", stack.namespace, "-o", "json"))
    (deployed,) = (int(row["revision"]) for row in rows if row["status"] == "deployed")
    return deployed


def watched(stack: Stack, *arguments: str) -> tuple[int, str]:
    """What `helm impact watch` ends with, and says."""
    command = [sys.executable, "-m", "serve_app.impact", "watch", stack.release, "-n", stack.namespace, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def health(service: dict[str, Any], tmp_path: Path) -> tuple[str, str]:
    """What Argo CD says of a RayService."""
    script = tmp_path / "health.lua"
    script.write_text(CHECKS["resource.customizations.health.ray.io_RayService"])
    done = subprocess.run(["argolua", script], input=json.dumps(service), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["status"], answer["message"]


def status(stack: Stack, model: str) -> str:
    """A model's application, as KubeRay tells it."""
    (service,) = stack.objects("rayservices.ray.io")
    return applications(service)[model]


def test_a_model_that_cannot_start_takes_nothing_down(stack: Stack, serve: Serve, tmp_path: Path) -> None:
    before, cluster, gateways, last = serve.replicas(*RATES), ray_cluster(stack), gateway_pods(stack), revision(stack)
    with Load("engine argument that vLLM refuses, and rollback", stack.url, stack.api_key, RATES) as load:
        stack.edit("--set", "models.sparrow.engine.max_model_len=1000000")
        wait_until("the application to fail", 500, lambda: status(stack, "sparrow").startswith("DEPLOY_FAILED"))
        ended, said = watched(stack, "--patience", "1", "--timeout", "60")
        assert (ended, "sparrow DEPLOY_FAILED (" in said, "owl RUNNING" in said) == (4, True, True), said
        (service,) = stack.objects("rayservices.ray.io")
        verdict, message = health(service, tmp_path)
        assert (verdict, "sparrow is DEPLOY_FAILED: " in message) == ("Degraded", True), message
        helm("rollback", stack.release, str(last), "-n", stack.namespace, "--wait")
        wait_until("the application to run again", 200, lambda: status(stack, "sparrow") == "RUNNING")
        ended, said = watched(stack, "--timeout", "200")
        assert ended == 0, said
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {"sparrow": [], "owl": []}
    assert (serve.replicas(*RATES), ray_cluster(stack), gateway_pods(stack)) == (before, cluster, gateways)
