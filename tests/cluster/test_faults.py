"""A lost head pod, with GCS on Redis; a worker that has to go."""

import datetime
import json
from contextlib import suppress
from typing import Any

from tests.cluster.conftest import Serve
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack

RATES = {"sparrow": 1.0, "owl": 1.5}
_SETTLED_SECONDS = 45


def settled(stack: Stack) -> bool:
    """Whether all Ray pods were Ready for a while: a head that has just come back still looks for its workers."""
    pods = stack.objects("pods", "app.kubernetes.io/component in (ray-head, ray-worker)")
    since = [
        datetime.datetime.fromisoformat(condition["lastTransitionTime"])
        for pod in pods
        for condition in pod["status"].get("conditions", [])
        if condition["type"] == "Ready" and condition["status"] == "True" and "deletionTimestamp" not in pod["metadata"]
    ]
    now = datetime.datetime.now(datetime.UTC)
    return len(since) == len(pods) and (now - max(since)).total_seconds() > _SETTLED_SECONDS


def deletions(stack: Stack) -> str:
    """What KubeRay says of the Ray pods that it has deleted."""
    return "\n".join(event["message"] for event in stack.objects("events") if event["reason"].startswith("Deleted"))


def replaced(stack: Stack, head: dict[str, Any], told: dict[str, str]) -> bool:
    """Whether another head is Ready.

    Raises:
        RuntimeError: None is; with what each has told so far, since KubeRay deletes those that end.
    """
    for pod in stack.objects("pods", "app.kubernetes.io/component=ray-head"):
        if pod["metadata"]["uid"] == head["metadata"]["uid"]:
            continue
        if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", [])):
            return True
        name = pod["metadata"]["name"]
        states = [container["state"] for container in pod["status"].get("containerStatuses", [])]
        with suppress(RuntimeError):  # its container is not there yet, or not any more: what is told already stays
            told[name] = f"{states}\n{stack.kubectl('logs', name, '--container=ray-head', '--tail=15')}"
    raise RuntimeError("\n".join(f"{name}: {text}" for name, text in told.items()))


def test_lost_head_keeps_workers_and_requests(stack: Stack, serve: Serve) -> None:
    """Workers and replicas must stay; failed requests are printed, and may not exceed 1 % (0 is the goal)."""
    wait_until("all Ray pods to be settled", 300, lambda: settled(stack), pause=5)
    before = serve.replicas(*RATES)
    workers = {pod["metadata"]["uid"] for pod in stack.objects("pods", "app.kubernetes.io/component=ray-worker")}
    (head,) = stack.objects("pods", "app.kubernetes.io/component=ray-head")
    told: dict[str, str] = {}
    with Load("head pod deleted", stack.url, stack.api_key, RATES) as load:
        stack.kubectl("delete", "pod", head["metadata"]["name"], "--wait=false")

        wait_until("a new head to be Ready", 300, lambda: replaced(stack, head, told), pause=2)
        stack.wait_for_models()
        sent = {model: outcome.sent for model, outcome in load.outcomes.items()}
        wait_until(
            "20 more requests each", 60, lambda: all(load.outcomes[model].sent > sent[model] + 20 for model in RATES)
        )
    now = {pod["metadata"]["uid"] for pod in stack.objects("pods", "app.kubernetes.io/component=ray-worker")}
    assert workers <= now, deletions(stack)
    assert serve.replicas(*RATES) == before
    for outcome in load.outcomes.values():
        assert len(outcome.failed) <= outcome.sent / 100, outcome.failed


def test_an_evicted_worker_moves_its_replicas_first(stack: Stack, serve: Serve) -> None:
    """What a drain of its node does to each pod: no answer may break."""
    before = serve.replicas(*RATES)
    worker = stack.objects("pods", "app.kubernetes.io/component=ray-worker")[0]["metadata"]
    name = {"name": worker["name"], "namespace": worker["namespace"]}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": name}
    path = f"/api/v1/namespaces/{worker['namespace']}/pods/{worker['name']}/eviction"
    with Load("worker evicted", stack.url, stack.api_key, RATES) as load:
        stack.kubectl("create", "--raw", path, "-f", "-", input=json.dumps(eviction))
        wait_until(
            "the worker to be gone",
            600,
            lambda: worker["uid"] not in {pod["metadata"]["uid"] for pod in stack.objects("pods")},
            pause=2,
        )
        stack.wait_for_models()
    assert serve.replicas(*RATES) != before
    for outcome in load.outcomes.values():
        assert outcome.failed == []
