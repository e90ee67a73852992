"""Redis is lost: limits count in each gateway pod alone until it is back; the next head finds its replicas again."""

import time

from tests.cluster.conftest import Serve
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack
from tests.cluster.test_faults import settled
from tests.cluster.test_gateway import RATES, keys, metric, pods, status, urls

REDIS, HEAD = "app.kubernetes.io/component=redis", "app.kubernetes.io/component=ray-head"


def head(stack: Stack) -> str | None:
    """The uid of the ready head."""
    return next((pod["metadata"]["uid"] for pod in pods(stack, HEAD)), None)


def test_lost_redis_degrades_limits_not_traffic(stack: Stack, serve: Serve) -> None:
    """With a key whose limits are asked of Redis for each request, and no Redis for as long as it takes to see it."""
    key = keys(stack, "make", "limited", "--requests-per-minute", "100000")
    wait_until("all pods to know the key", 150, lambda: all(status(url, key) == 200 for url in urls(stack)))
    before, first = serve.replicas(*RATES), head(stack)
    redis = f"deployment/{stack.fullname}-redis"
    with Load("Redis killed", stack.url, key, RATES) as load:
        for pod in pods(stack, REDIS):
            stack.kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force", "--wait=false")
        stack.kubectl("scale", redis, "--replicas=0")
        wait_until("the pods to see it gone", 60, lambda: metric(stack, "limits_shared") == [0, 0, 0])
        time.sleep(3)
        stack.kubectl("scale", redis, "--replicas=1")
        wait_until("limits to be shared again", 180, lambda: metric(stack, "limits_shared") == [1, 1, 1])
        wait_until("another head", 300, lambda: head(stack) not in (first, None))
        wait_until("all Ray pods to be settled", 300, lambda: settled(stack), pause=5)
        stack.wait_for_models()
    keys(stack, "revoke", "limited")
    assert [outcome.failed for outcome in load.outcomes.values()] == [[], []]
    assert serve.replicas(*RATES) == before
