"""A lost head pod, with GCS on Redis; a worker that has to go."""

from contextlib import suppress
from typing import Any

from tests.cluster.conftest import Serve
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack

RATES = {"sparrow": 1.0, "owl": 1.5}


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
    assert workers <= {
        pod["metadata"]["uid"] for pod in stack.objects("pods", "app.kubernetes.io/component=ray-worker")
    }
    assert serve.replicas(*RATES) == before
    for outcome in load.outcomes.values():
        assert len(outcome.failed) <= outcome.sent / 100, outcome.failed
