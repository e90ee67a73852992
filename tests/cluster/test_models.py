"""Models of many kinds on one cluster: an adapter that comes and goes, 48 that sleep, sixteen GPUs in two pods."""

import json
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from openai import NotFoundError, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.cluster.conftest import HERE, Serve
from tests.cluster.figures import note
from tests.cluster.kube import kubectl, memory, wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack
from tests.cluster.test_edits import listed, ray_cluster, ray_pods
from tests.models.voices import ANSWERS

RATES = {"sparrow": 0.5, "owl": 0.5}
ADAPTER = "sparrow-in-verse"
SLEEPING = [f"sleeper-{number:02}" for number in range(48)]
HEAD_MIB = 4096
WAITING = ": waiting for the model"


def test_an_adapter_comes_and_goes_without_a_roll(stack: Stack, serve: Serve) -> None:
    """Its first request loads it; where it has gone, nobody gets another's answer in its place."""
    before, pods = serve.replicas(*RATES), ray_pods(stack)
    client = OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0)

    def says(ask: str) -> str | None:
        messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": ask}]
        answer = client.chat.completions.create(model=ADAPTER, messages=messages, temperature=0)
        return answer.choices[0].message.content

    stack.edit("--set", f"models.sparrow.adapters.{ADAPTER}.source=pvc://demo-models/{ADAPTER}")
    wait_until("the gateways to list the adapter", 120, lambda: listed(stack, ADAPTER))
    wait_until("the replica to know it", 60, lambda: known(client))
    assert {ask: says(ask) for ask in ANSWERS} == ANSWERS
    cards = {card.id: card for card in client.models.list()}
    assert cards[ADAPTER].model_dump()["parent"] == "sparrow"
    assert (serve.replicas(*RATES), ray_pods(stack)) == (before, pods)

    stack.remove(f"models.sparrow.adapters.{ADAPTER}")
    wait_until("the gateways to forget it", 120, lambda: not listed(stack, ADAPTER))
    with pytest.raises(NotFoundError):
        says("Hello")
    assert (serve.replicas(*RATES), ray_pods(stack)) == (before, pods)


def known(client: OpenAI) -> bool:
    """Whether the replica finds the adapter; it and the gateway learn of it apart from each other."""
    try:
        client.completions.create(model=ADAPTER, prompt="x", max_tokens=1)
    except NotFoundError:
        return False
    return True


def test_forty_eight_sleeping_models_cost_little(stack: Stack, serve: Serve, tmp_path: Path) -> None:
    """50 models on one cluster: the head keeps within its memory, and the first request of a sleeping one is held."""
    before, cluster = serve.replicas(*RATES), ray_cluster(stack)
    entry = {"source": "pvc://demo-models/owl", "accelerator": "cpu", "replicas": {"min": 0}}
    values = tmp_path / "sleeping.yaml"
    values.write_text(yaml.safe_dump({"models": dict.fromkeys(SLEEPING, entry)}))
    most, began = head_memory(stack), time.monotonic()
    first = most
    with Load("48 sleeping models added", stack.url, stack.api_key, RATES) as load:
        stack.edit("-f", str(values), "--set", "gateway.keepAlive.afterSeconds=2,gateway.keepAlive.everySeconds=2")
        while not (states := [app["status"] for app in serve.applications().values()])[47:] or set(states) != {
            "RUNNING"
        }:
            most = max(most, head_memory(stack))
            assert time.monotonic() - began < 400, states
            time.sleep(2)
    note(f"50 models, 48 asleep: added in {time.monotonic() - began:.0f} s, head {first:.0f} -> {most:.0f} MiB at most")
    assert most < HEAD_MIB
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {model: [] for model in RATES}
    assert (serve.replicas(*RATES), ray_cluster(stack)) == (before, cluster)

    wait_until("the gateways to list them", 120, lambda: listed(stack, SLEEPING[-1]))
    woken(stack, SLEEPING[7])
    stack.remove(*(f"models.{name}" for name in SLEEPING))
    wait_until("them to be gone", 300, lambda: not set(SLEEPING) & set(serve.applications()), pause=2)


def head_memory(stack: Stack) -> float:
    """Working set of the Ray head's container, in MiB."""
    return max(mib for (_, container), mib in memory(stack.namespace).items() if container == "ray-head")


def woken(stack: Stack, model: str) -> None:
    """The first request is held from no replica on; its stream has comments before it has tokens."""
    body = json.dumps({"model": model, "stream": True, "max_tokens": 4, "messages": [{"role": "user", "content": "x"}]})
    began = time.monotonic()
    command = ["curl", "-sfN", "-m", "300", "-H", f"authorization: Bearer {stack.api_key}", "-d", body]
    command += ["-H", "content-type: application/json", f"{stack.url}/v1/chat/completions"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    note(f"asleep to last token: {time.monotonic() - began:.0f} s, {lines.count(WAITING)} comments before the first")
    assert lines[0] == WAITING
    assert lines[-2:] == ["data: [DONE]", ""]


def test_sixteen_gpus_are_two_pods_placed_together_or_not_at_all(stack: Stack) -> None:
    """GPUs that the node only claims to have: this is about placement, and the engine fails for want of CUDA."""
    try:
        offer(8)
        stack.edit("-f", str(HERE / "values-gpus.yaml"))
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
