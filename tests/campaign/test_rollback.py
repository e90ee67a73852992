"""What else may not be there when a release asks for it: the old serves, all are told, a rollback touches nothing."""

import pytest

from tests.cluster.conftest import Serve
from tests.cluster.kube import helm, wait_until
from tests.cluster.load import Load
from tests.cluster.stack import Stack
from tests.cluster.test_edits import RATES, gateway_pods
from tests.cluster.test_rollback import revision, status, watched


def clusters(stack: Stack) -> set[str]:
    """Names of the Ray clusters that stay."""
    found = stack.objects("rayclusters.ray.io")
    return {each["metadata"]["name"] for each in found if not each["metadata"].get("deletionTimestamp")}


def serve_image(stack: Stack) -> str:
    """The image of the one Ray cluster."""
    (cluster,) = stack.objects("rayclusters.ray.io")
    (container, *_) = cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"]
    return str(container["image"])


def test_weights_that_are_not_there(stack: Stack, serve: Serve) -> None:
    before, last = serve.replicas(*RATES), revision(stack)
    with Load("weights that are not there", stack.url, stack.api_key, RATES) as load:
        stack.edit("--set", "models.sparrow.source=pvc://demo-models/not-there")
        wait_until("the application to fail", 600, lambda: status(stack, "sparrow").startswith("DEPLOY_FAILED"))
        ended, said = watched(stack, "--patience", "1", "--timeout", "60")
        assert (ended, "sparrow DEPLOY_FAILED" in said) == (4, True), said
        helm("rollback", stack.release, str(last), "-n", stack.namespace, "--wait")
        ended, said = watched(stack, "--timeout", "300")
        assert ended == 0, said
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {"sparrow": [], "owl": []}
    assert serve.replicas(*RATES) == before


def test_a_serve_image_that_is_not_there(stack: Stack, serve: Serve) -> None:
    """KubeRay goes back by one more swap: it replaces the cluster that it waits for, not the one that serves."""
    last, old, image = revision(stack), clusters(stack), serve_image(stack)
    with Load("serve image that is not there", stack.url, stack.api_key, RATES) as load:
        stack.edit("--set", "clusters.main.image.tag=not-there,safeChange.enabled=false", "--wait=hookOnly")
        wait_until("a second cluster", 120, lambda: len(clusters(stack)) == 2)
        ended, said = watched(stack, "--patience", "20", "--timeout", "300")
        assert (ended, "ImagePullBackOff" in said or "ErrImage" in said) == (4, True), said
        helm("rollback", stack.release, str(last), "-n", stack.namespace)
        wait_until("one Ray cluster", 900, lambda: len(clusters(stack)) == 1, pause=2)
        ended, said = watched(stack, "--timeout", "300")
        assert ended == 0, said
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {"sparrow": [], "owl": []}
    assert (clusters(stack) & old, serve_image(stack)) == (set(), image)


def test_a_gateway_image_that_is_not_there_stops_the_upgrade(stack: Stack, serve: Serve) -> None:
    before, gateways, last = serve.replicas(*RATES), gateway_pods(stack), revision(stack)
    with Load("gateway image that is not there", stack.url, stack.api_key, RATES) as load:
        with pytest.raises(RuntimeError, match=r"(?i)hook"):
            stack.edit("--set", "gateway.image.tag=not-there,madeSecrets.timeoutSeconds=30")
        helm("rollback", stack.release, str(last), "-n", stack.namespace, "--wait")
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {"sparrow": [], "owl": []}
    assert (serve.replicas(*RATES), gateway_pods(stack)) == (before, gateways)
