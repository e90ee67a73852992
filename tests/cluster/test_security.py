"""Every container of ours is non-root with a read-only root, in a namespace that enforces `restricted`."""

import json

import pytest

from tests.cluster.kube import kubectl
from tests.cluster.stack import Stack


def test_namespace_enforces_restricted(stack: Stack) -> None:
    labels = json.loads(kubectl("get", "namespace", stack.namespace, "-o", "json"))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    with pytest.raises(RuntimeError, match="violates PodSecurity"):
        stack.kubectl("run", "root", "--image=busybox", "--dry-run=server")


def test_containers_are_non_root_with_a_read_only_root(stack: Stack) -> None:
    pods = stack.objects("pods")
    assert {pod["metadata"]["labels"].get("app.kubernetes.io/component") for pod in pods} >= {
        "ray-head",
        "ray-worker",
        "gateway",
        "redis",
    }
    for pod in pods:
        spec = pod["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            where = f"{pod['metadata']['name']}/{container['name']}"
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, where
            assert context["allowPrivilegeEscalation"] is False, where
            assert context["capabilities"]["drop"] == ["ALL"], where
            assert context.get("runAsNonRoot", spec["securityContext"].get("runAsNonRoot")) is True, where


@pytest.mark.parametrize("component", ["ray-head", "ray-worker", "gateway"])
def test_the_processes_cannot_write_to_their_root(stack: Stack, component: str) -> None:
    pod = stack.objects("pods", f"app.kubernetes.io/component={component}")[0]["metadata"]["name"]
    script = "id -u; touch /nope 2>/dev/null && echo wrote /; touch /tmp/yes && echo wrote /tmp"
    assert stack.kubectl("exec", pod, "--", "sh", "-c", script).split("\n") == ["1000", "wrote /tmp", ""]


def test_only_the_head_may_call_the_api_server(stack: Stack) -> None:
    for component in ("ray-worker", "gateway", "redis"):
        for pod in stack.objects("pods", f"app.kubernetes.io/component={component}"):
            mounts = [m["mountPath"] for c in pod["spec"]["containers"] for m in c.get("volumeMounts", [])]
            assert "/var/run/secrets/kubernetes.io/serviceaccount" not in mounts, pod["metadata"]["name"]
