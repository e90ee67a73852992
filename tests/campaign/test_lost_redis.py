"""Redis is lost: limits count in each gateway pod alone until it is back, and the head finds its state again."""

import time

from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack
from tests.cluster.test_gateway import RATES, keys, metric, pods, status, urls

REDIS = "app.kubernetes.io/component=redis"


def test_lost_redis_degrades_limits_not_traffic(stack: Stack) -> None:
    """With a key whose limits are asked of Redis for each request, and no Redis for as long as it takes to see it."""
    key = keys(stack, "make", "limited", "--requests-per-minute", "100000")
    wait_until("all pods to know the key", 150, lambda: all(status(url, key) == 200 for url in urls(stack)))
    redis = f"deployment/{stack.fullname}-redis"
    with Load("Redis killed", stack.url, key, RATES) as load:
        for pod in pods(stack, REDIS):
            stack.kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force", "--wait=false")
        stack.kubectl("scale", redis, "--replicas=0")
        wait_until("the pods to see it gone", 60, lambda: metric(stack, "limits_shared") == [0, 0, 0])
        time.sleep(3)
        stack.kubectl("scale", redis, "--replicas=1")
        wait_until("limits to be shared again", 180, lambda: metric(stack, "limits_shared") == [1, 1, 1])
    keys(stack, "revoke", "limited")
    assert [outcome.failed for outcome in load.outcomes.values()] == [[], []]
    wait_until("one ready head", 300, lambda: len(pods(stack, "app.kubernetes.io/component=ray-head")) == 1)
    stack.wait_for_models()
