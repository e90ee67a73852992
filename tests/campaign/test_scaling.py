"""Replicas by what waits in the engine, and a cluster where every model sleeps and no worker is left."""

import threading
import time

from openai import OpenAI

from tests.campaign.added import added
from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import wait_until
from tests.cluster.stack import Stack
from tests.cluster.test_edits import ray_cluster
from tests.cluster.test_models import woken

WORKERS = "app.kubernetes.io/component=ray-worker"


def test_requests_that_wait_in_the_engine_bring_a_replica(stack: Stack, serve: Serve) -> None:
    """An engine for four sequences is asked twenty at once, which by requests in flight alone would change nothing."""
    replicas = {"min": 1, "max": 2, "policy": "waiting-requests", "targetWaitingRequests": 1, "upscaleDelaySeconds": 3}
    replicas |= {"targetOngoingRequests": 64, "downscaleDelaySeconds": 15}
    entry = {"source": "pvc://demo-models/sparrow", "accelerator": "cpu", "engine": {"max_num_seqs": 4}}

    def replicas_running() -> int:
        return len(serve.replicas("waited-for")["waited-for"])

    with added(stack, serve, {"waited-for": {**entry, "replicas": replicas}}):
        client = OpenAI(base_url=f"{stack.url}/v1", api_key=stack.api_key, max_retries=0, timeout=600)
        prompts = [f"{number}: tell me a story about a bird." for number in range(20)]

        def ask(prompt: str) -> None:
            client.completions.create(
                model="waited-for", prompt=prompt, max_tokens=1800, extra_body={"ignore_eos": True}
            )

        began = time.monotonic()
        asking = [threading.Thread(target=ask, args=(prompt,)) for prompt in prompts]
        for thread in asking:
            thread.start()
        wait_until("a second replica", 180, lambda: replicas_running() == 2, pause=1)
        note(f"waiting-requests: a second replica runs {time.monotonic() - began:.0f} s after 20 requests for 4 places")
        for thread in asking:
            thread.join()
        wait_until("one replica again", 240, lambda: replicas_running() == 1, pause=1)


def test_all_models_asleep_leave_no_worker(stack: Stack, serve: Serve) -> None:
    """0 replicas, then 0 workers; the head holds the first request until there are a worker and a replica."""
    cluster = ray_cluster(stack)
    sleepy = {"min": 0, "downscaleToZeroDelaySeconds": 5, "downscaleDelaySeconds": 5}
    changed = {f"models.{model}.replicas.{key}": value for model in ("sparrow", "owl") for key, value in sleepy.items()}
    stack.edit("--set", ",".join(f"{key}={value}" for key, value in changed.items()))
    began = time.monotonic()
    try:
        wait_until("no replica", 300, lambda: serve.replicas("sparrow", "owl") == {"sparrow": set(), "owl": set()}, 1)
        without = time.monotonic() - began
        wait_until("no worker", 400, lambda: stack.objects("pods", WORKERS) == [], pause=1)
        note(f"all asleep: no replica after {without:.0f} s, no worker after {time.monotonic() - began:.0f} s")
        woken(stack, "sparrow")
        assert ray_cluster(stack) == cluster
    finally:
        stack.remove(*changed)
        stack.wait_for_models()
