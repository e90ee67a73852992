"""A model moves from Ray to a plain vLLM and back under load, rolls there, and spreads over two pods."""

import json
import urllib.request

from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import memory, wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack
from tests.cluster.test_edits import ray_cluster
from tests.cluster.test_observability import RUNBOOK, STANDALONE, runbook_commands_answer

RATES = {"sparrow": 0.7, "owl": 0.7}
SCRAPERS = json.dumps([{"podSelector": {"matchLabels": {"app": "prometheus"}}}])  # API and metrics share a port there
PODS = "app.kubernetes.io/component=standalone"


def test_moving_a_model_fails_no_request(stack: Stack, serve: Serve, pairs: dict[str, dict[str, str]]) -> None:
    """There and back; the neighbour keeps its replicas, and the cluster its name."""
    before, cluster = serve.replicas("owl"), ray_cluster(stack)
    stack.edit("--set", "gateway.retry.windowSeconds=300")
    with Load("sparrow moved to standalone", stack.url, stack.api_key, RATES) as load:
        stack.edit("--set", "models.sparrow.runtime=standalone", "--set-json", f"networkPolicy.monitoring={SCRAPERS}")
        wait_until("sparrow to have left Ray", 300, lambda: "sparrow" not in serve.applications(), pause=2)
        asked = load.outcomes["sparrow"].answered
        wait_until("ten more answers", 300, lambda: load.outcomes["sparrow"].answered > asked + 10, pause=1)
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {"sparrow": [], "owl": []}
    assert (serve.replicas("owl"), ray_cluster(stack)) == (before, cluster)
    for pod, mib in ((pod, mib) for (pod, _), mib in memory(stack.namespace).items() if "-model-" in pod):
        note(f"memory: {pod}: {mib:.0f} MiB working set")
    runbook_commands_answer(stack, RUNBOOK[STANDALONE].replace("MODEL", "sparrow"))
    ask, answer = next(iter(pairs["sparrow"].items()))
    assert says(stack, ask) == answer

    with Load("standalone model rolled", stack.url, stack.api_key, RATES) as load:
        pods = uids(stack)
        stack.edit("--set", "models.sparrow.engine.max_num_seqs=4")
        wait_until("the pod to be another", 400, lambda: bool(now := uids(stack)) and not now & pods, pause=2)
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {"sparrow": [], "owl": []}

    with Load("sparrow moved to Ray", stack.url, stack.api_key, RATES) as load:
        stack.edit("--set", "models.sparrow.runtime=ray")
        wait_until("sparrow on Ray", 400, lambda: serve.applications().get("sparrow", {}).get("status") == "RUNNING")
        asked = load.outcomes["sparrow"].answered
        wait_until("ten more answers", 300, lambda: load.outcomes["sparrow"].answered > asked + 10, pause=1)
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {"sparrow": [], "owl": []}
    assert (serve.replicas("owl"), ray_cluster(stack)) == (before, cluster)


def uids(stack: Stack) -> set[str]:
    """The model's pods."""
    return {pod["metadata"]["uid"] for pod in stack.objects("pods", PODS)}


def says(stack: Stack, ask: str) -> str:
    """The greedy answer of sparrow."""
    body = {"model": "sparrow", "temperature": 0, "messages": [{"role": "user", "content": ask}]}
    request = urllib.request.Request(f"{stack.url}/v1/chat/completions", json.dumps(body).encode())
    request.add_header("authorization", f"Bearer {stack.api_key}")
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        text: str = json.load(answer)["choices"][0]["message"]["content"]
    return text
