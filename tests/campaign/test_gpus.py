"""A model over sixteen GPUs is placed whole or not at all, on GPUs that the node only claims to have."""

import json
import time
import urllib.request
from typing import Any

from tests.cluster.conftest import HERE
from tests.cluster.kube import kubectl, wait_until
from tests.cluster.stack import Stack


def test_sixteen_gpus_are_two_pods_placed_together_or_not_at_all(stack: Stack) -> None:
    """GPUs that the node only claims to have: this is about placement, and the engine fails for want of CUDA."""
    try:
        offer(8)
        stack.edit("-f", str(HERE / "values-gpus.yaml"), "--wait=hookOnly")  # it never becomes ready
        wait_until("two pods of 8 GPUs", 300, lambda: len(gpu_workers(stack)) == 2, pause=2)
        wait_until("one of them to run", 300, lambda: phases(stack).count("Running") == 1, pause=2)
        time.sleep(10)
        assert sorted(phases(stack)) == ["Pending", "Running"]
        assert {group["state"] for group in placement_groups(stack)} == {"PENDING"}
        offer(16)
        wait_until("the replica to be placed", 300, lambda: spread(stack) == [8, 8], pause=2)
    finally:
        stack.remove("models.sixteen")
        wait_until("its cluster to be gone", 300, lambda: len(stack.objects("rayservices.ray.io")) == 1, pause=2)
        offer(0)


def offer(gpus: int) -> None:
    """Has the node claim so many GPUs, as docs/tasks/administer-cluster/extended-resource-node of Kubernetes says."""
    node = kubectl("get", "nodes", "-o", "name").strip()
    patch = [{"op": "add", "path": "/status/capacity/nvidia.com~1gpu", "value": str(gpus)}]
    kubectl("patch", node, "--subresource=status", "--type=json", "-p", json.dumps(patch))


def gpu_workers(stack: Stack) -> list[dict[str, Any]]:
    """The worker pods of the group for two hosts of 8."""
    return stack.objects("pods", "ray.io/group=h100-2x8")


def phases(stack: Stack) -> list[str]:
    """What the two pods are doing."""
    return [pod["status"]["phase"] for pod in gpu_workers(stack)]


def placement_groups(stack: Stack) -> list[dict[str, Any]]:
    """Those of the GPU cluster, as its head has them."""
    heads = stack.objects("pods", "app.kubernetes.io/component=ray-head,ray-vllm-stack.io/cluster=gpus")
    url = f"http://{heads[0]['status']['podIP']}:8265/api/v0/placement_groups?detail=true"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            groups = json.load(answer)["data"]["result"]["result"]
    except OSError as error:
        raise RuntimeError(str(error)) from error
    return [group for group in groups if group["state"] != "REMOVED"]


def spread(stack: Stack) -> list[int]:
    """Bundles of the placed group on each node."""
    nodes: dict[str, int] = {}
    for group in placement_groups(stack):
        for bundle in group["bundles"] if group["state"] == "CREATED" else []:
            nodes[bundle["node_id"]] = nodes.get(bundle["node_id"], 0) + 1
    return sorted(nodes.values())
