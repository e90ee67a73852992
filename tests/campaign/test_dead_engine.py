"""An engine that dies under load: its replica ends by itself, the other one answers, and Serve brings a new one."""

import time

from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack

WORKERS = "app.kubernetes.io/component=ray-worker"
KILL_AN_ENGINE = """
import psutil
engines = [each for each in psutil.process_iter() if "VLLM::EngineCore" in " ".join(each.cmdline())]
min(engines, key=psutil.Process.create_time).kill()
"""


def kill_engine(stack: Stack, worker: str) -> None:
    """Kills the oldest of a worker's engines, as a kernel does that runs out of memory."""
    stack.kubectl("exec", worker, "-c", "ray-worker", "--", "python", "-c", KILL_AN_ENGINE)


def test_one_of_two_engines_dies(stack: Stack, serve: Serve) -> None:
    """What was being answered by it breaks; nothing else does."""
    first = {pod["metadata"]["name"] for pod in stack.objects("pods", WORKERS)}
    stack.edit("--set", "models.sparrow.replicas.min=2,models.sparrow.replicas.max=2")
    try:
        wait_until("two replicas of sparrow", 600, lambda: len(serve.replicas("sparrow")["sparrow"]) == 2, pause=2)
        before = serve.replicas("sparrow")["sparrow"]
        (worker,) = {pod["metadata"]["name"] for pod in stack.objects("pods", WORKERS)} - first
        with Load("engine killed", stack.url, stack.api_key, {"sparrow": 2.0, "owl": 0.5}) as load:
            time.sleep(2)
            began = time.monotonic()
            kill_engine(stack, worker)

            def replaced() -> bool:
                now = serve.replicas("sparrow")["sparrow"]
                return len(now) == 2 and now != before

            wait_until("its replica to be replaced", 400, replaced, pause=1)
            took = time.monotonic() - began
        note(f"engine killed: two replicas again after {took:.0f} s")
        broken = sum(len(outcome.failed) for outcome in load.outcomes.values())
        assert broken <= 1, "a stream that was under way on it"
    finally:
        stack.edit("--set", "models.sparrow.replicas.min=1,models.sparrow.replicas.max=1")
        stack.wait_for_models()
