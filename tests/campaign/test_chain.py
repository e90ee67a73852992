"""The whole chain on the local cluster: request, replica, worker pod, NodeClaim, node; and down to no node again.

Karpenter's node is an object only, so the pod that it was made for cannot run there. In the second step the local node
takes its place, the worker runs, and the request that has waited all the time is answered.
"""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.cluster.demo import images
from tests.cluster.figures import note
from tests.cluster.kube import kubectl, wait_until
from tests.cluster.stack import ROOT, Stack
from tests.simulation.instance_types import provider_file

TOOLS = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "tools"
VALUES = [ROOT / path for path in ("values/cpu-demo.yaml", "tests/cluster/values-local.yaml")]
POOL = "chain.chain-ray-vllm-stack.cpu"
WORKERS = "app.kubernetes.io/component=ray-worker"
# Seconds at most: for Serve's up-scale delay and the autoscaler's rounds; for Karpenter's batch; for its node.
TO_WORKER, TO_CLAIM, TO_NODE = 90, 20, 30
STAGES = ("node/fast/node-initialize", "node/heartbeat-with-lease/node-heartbeat-with-lease", "pod/fast/pod-delete")


@pytest.fixture
def karpenter(tmp_path: Path) -> Iterator[None]:
    """Karpenter on the cluster of the kubeconfig, and a kubelet for its nodes that keeps them ready and runs no pod."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(TOOLS / "karpenter-kwok/crds"))
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    node_class = {
        "apiVersion": "karpenter.kwok.sh/v1alpha1",
        "kind": "KWOKNodeClass",
        "metadata": {"name": "simulation"},
    }
    kubectl("apply", "--server-side", "-f", "-", input=json.dumps(node_class))
    (tmp_path / "types.json").write_text(provider_file())
    stages = [word for stage in STAGES for word in ("--config", str(TOOLS / f"kwok/stage/{stage}.yaml"))]
    kubelet = ["kwok", "--kubeconfig", os.environ["KUBECONFIG"], "--manage-all-nodes=false", *stages]
    kubelet += ["--manage-nodes-with-annotation-selector", "kwok.x-k8s.io/node=fake", "--server-address", "127.0.0.1:0"]
    provider = [
        "karpenter-kwok",
        "--instance-types-file-path",
        str(tmp_path / "types.json"),
        "--disable-leader-election",
    ]
    provider += ["--metrics-port", "11190", "--health-probe-port", "11191"]
    processes = []
    for command in (kubelet, provider):
        with (tmp_path / f"{command[0]}.log").open("wb") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
    yield
    kubectl("delete", "nodepools,nodeclaims", "--all", "--timeout=120s")
    for process in processes:
        process.terminate()
        process.wait(20)
    kubectl("delete", "kwoknodeclass", "simulation")


def node_of(pod: dict[str, Any]) -> str:
    """The node that a pod was bound to, or the empty string."""
    return str(pod["spec"].get("nodeName", ""))


def simulated_nodes() -> list[str]:
    """Names of the nodes that Karpenter has made."""
    return kubectl("get", "nodes", "-l", f"karpenter.sh/nodepool={POOL}", "-o", "name").split()


@pytest.mark.usefixtures("stack", "karpenter")  # the operator is that of the tests' release
def test_a_request_brings_a_node_and_none_is_left_after_it() -> None:
    (local,) = (name for name in kubectl("get", "nodes", "-o", "name").split() if "kwok" not in name)
    chain = Stack("chain", "chain", [*VALUES, Path(__file__).with_name("values-chain.yaml")], images())
    said: list[str] = []

    def ask() -> None:
        client = OpenAI(base_url=f"{chain.url}/v1", api_key=chain.api_key, max_retries=0, timeout=900)
        answer = client.completions.create(model="sparrow", prompt="Hello", max_tokens=8)
        said.append(answer.choices[0].text)

    try:
        chain.prepare()
        chain.install()
        chain.wait_for_models()
        wait_until("no worker", 120, lambda: chain.objects("pods", WORKERS) == [])
        assert simulated_nodes() == []
        asking = threading.Thread(target=ask)
        began = time.monotonic()
        asking.start()
        wait_until("the worker's pod", TO_WORKER, lambda: len(chain.objects("pods", WORKERS)) == 1)
        worker = time.monotonic()
        wait_until("its NodeClaim", TO_CLAIM, lambda: POOL in kubectl("get", "nodeclaims", "-o", "name"))
        claim = time.monotonic()
        wait_until("its node", TO_NODE, lambda: "kwok-" in node_of(chain.objects("pods", WORKERS)[0]))
        node = time.monotonic()
        note(
            f"request to worker pod {worker - began:.0f} s, to NodeClaim {claim - worker:.1f} s more, to a node that "
            f"the pod is bound to {node - claim:.1f} s more"
        )

        (pod,) = chain.objects("pods", WORKERS)
        kubectl("cordon", node_of(pod))
        kubectl("label", local, f"ray-vllm-stack.io/node-pool={POOL}")
        chain.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
        asking.join(600)
        assert len(said) == 1
        note(f"the request that brought it was answered after {time.monotonic() - began:.0f} s")
        wait_until("the empty node to go", 120, lambda: simulated_nodes() == [], pause=1)
        wait_until("no worker", 300, lambda: chain.objects("pods", WORKERS) == [], pause=1)
        note(f"no worker and no node again after {time.monotonic() - began:.0f} s")
    finally:
        kubectl("label", local, "ray-vllm-stack.io/node-pool-")
        chain.uninstall()
        kubectl("delete", "namespace", "chain", "--wait=false")
