"""`helm uninstall` leaves no object of the release and no pod."""

from tests.cluster.kube import wait_until
from tests.cluster.stack import Stack

# The operator's own, made while it runs and kept by it for its next start; the published chart leaves it too.
OF_THE_OPERATOR = {"lease.coordination.k8s.io/ray-operator-leader"}


def test_uninstall_leaves_nothing(stack: Stack, before_install: set[str]) -> None:
    during = stack.everything() - before_install
    assert {
        "deployment.apps/e2e-ray-vllm-stack-gateway",
        "clusterrole.rbac.authorization.k8s.io/kuberay-operator",
    } < during
    stack.uninstall()
    left: set[str] = set()

    def gone() -> bool:
        left.clear()
        left.update(stack.everything() - before_install - OF_THE_OPERATOR)
        return not left

    try:
        wait_until("every object of the release to be gone", 120, gone)
    except TimeoutError as error:
        raise AssertionError(f"left: {sorted(left)}") from error
