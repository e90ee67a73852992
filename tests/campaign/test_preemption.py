"""A spot node that is taken back: one of a model's two workers has two minutes to leave, with streams on it."""

import json
import threading
import time

from openai import OpenAI

from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack

WORKERS = "app.kubernetes.io/component=ray-worker"
NOTICE_SECONDS = 120  # EC2's, of which a node's drain makes the grace of its pods
STREAMS, TOKENS = 4, 1500


def long_stream(stack: Stack, ended: list[str]) -> None:
    """A stream that goes on for a while; how it ended: `length`, or what went wrong."""
    client = OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0, timeout=600)
    try:
        reason = "no finish_reason"
        for chunk in client.completions.create(
            model="sparrow", prompt="Once", max_tokens=TOKENS, stream=True, extra_body={"ignore_eos": True}
        ):
            reason = (chunk.choices[0].finish_reason if chunk.choices else None) or reason
        ended.append(reason)
    except Exception as error:  # every kind of failure counts, and is shown
        ended.append(f"{type(error).__name__}: {error}")


def test_one_of_two_workers_is_preempted(stack: Stack, serve: Serve) -> None:
    """A worker holds two replicas, so sparrow's second one has a worker of its own: the one that is evicted."""
    first = {pod["metadata"]["uid"] for pod in stack.objects("pods", WORKERS)}
    stack.edit("--set", "models.sparrow.replicas.min=2,models.sparrow.replicas.max=2")
    try:
        wait_until("two replicas of sparrow", 600, lambda: len(serve.replicas("sparrow")["sparrow"]) == 2, pause=2)
        (worker,) = (pod["metadata"] for pod in stack.objects("pods", WORKERS) if pod["metadata"]["uid"] not in first)
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": worker["name"], "namespace": worker["namespace"]},
            "deleteOptions": {"gracePeriodSeconds": NOTICE_SECONDS},
        }
        ended: list[str] = []
        streams = [threading.Thread(target=long_stream, args=(stack, ended)) for _ in range(STREAMS)]
        with Load("worker preempted", stack.url, stack.api_key, {"sparrow": 1.0, "owl": 0.5}) as load:
            for stream in streams:
                stream.start()
            time.sleep(2)  # they are under way, on both replicas
            assert ended == []
            began = time.monotonic()
            path = f"/api/v1/namespaces/{worker['namespace']}/pods/{worker['name']}/eviction"
            stack.kubectl("create", "--raw", path, "-f", "-", input=json.dumps(eviction))
            for stream in streams:
                stream.join()
            streamed = time.monotonic() - began

            def gone() -> bool:
                return worker["uid"] not in {pod["metadata"]["uid"] for pod in stack.objects("pods", WORKERS)}

            wait_until("the worker to be gone", NOTICE_SECONDS + 30, gone, pause=1)
            left = time.monotonic() - began
            wait_until("two replicas again", 600, lambda: len(serve.replicas("sparrow")["sparrow"]) == 2, pause=2)
        note(f"preempted: streams ended {streamed:.0f} s after the notice, the worker {left:.0f} s")
        assert ended == ["length"] * STREAMS
        assert [outcome.failed for outcome in load.outcomes.values()] == [[], []]
    finally:
        stack.edit("--set", "models.sparrow.replicas.min=1,models.sparrow.replicas.max=1")
        stack.wait_for_models()
