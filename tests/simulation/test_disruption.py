"""A node goes when Ray has emptied it, and for no other reason."""

from typing import Any

from tests.cluster.kube import kubectl
from tests.simulation.release import EKS, EKS_SETTINGS, Release, get, stays

SOON = (
    *EKS_SETTINGS,
    "capacity.nodePoolDefaults.consolidateAfter=2s,clusterDefaults.autoscaler.idleTimeoutSeconds=2",
)


def condition(claim: dict[str, Any], kind: str) -> str:
    """Status of a condition of a NodeClaim."""
    found = [each["status"] for each in claim["status"].get("conditions", []) if each["type"] == kind]
    return found[0] if found else ""


def uids(pods: list[dict[str, Any]]) -> set[str]:
    """Which pods they are."""
    return {pod["metadata"]["uid"] for pod in pods}


def test_a_node_stays_until_ray_has_left_it() -> None:
    """Two nodes whose workers would fit on one stay. One without a worker goes, the other keeps its worker."""
    with Release("emptied", [EKS], SOON) as release:
        release.scale("l4", 1)
        release.wait_for_workers("l4", 1)
        release.scale("l4", 2)  # each came alone, so each has a node of its own
        first, second = sorted(release.wait_for_workers("l4", 2), key=lambda pod: pod["metadata"]["creationTimestamp"])
        nodes = release.nodes()
        assert {first["spec"]["nodeName"], second["spec"]["nodeName"]} == set(nodes)
        stays("both nodes", 10, lambda: release.nodes().keys() == nodes.keys())

        release.scale("l4", 1, remove=[first["metadata"]["name"]])
        release.wait_for("its node to go", lambda: set(release.nodes()) == {second["spec"]["nodeName"]})
        (kept,) = release.workers("l4", running=True)
        assert kept["metadata"]["uid"] == second["metadata"]["uid"]

        release.scale("l4", 0, remove=[kept["metadata"]["name"]])
        release.wait_for("no node", lambda: release.nodes() == {})


def test_an_edit_of_a_pool_waits_for_ray_to_leave_its_nodes() -> None:
    """The nodes have drifted, and none of them goes while a worker is on it."""
    with Release("drifted", [EKS], SOON) as release:
        for group in ("l4", "h100-x4"):
            release.scale(group, 1)
        pods = [*release.wait_for_workers("l4", 1), *release.wait_for_workers("h100-x4", 1)]
        nodes = release.nodes()
        for pool in release.pools:
            patch = '{"spec": {"template": {"metadata": {"labels": {"edited": "yes"}}}}}'
            kubectl("patch", "nodepool", pool, "--type=merge", "-p", patch)

        def drifted() -> list[str]:
            claims = get("nodeclaims", "-l", f"karpenter.sh/nodepool in ({','.join(release.pools)})")
            return [condition(claim, "Drifted") for claim in claims]

        release.wait_for("both to have drifted", lambda: drifted() == ["True", "True"])
        stays("both nodes", 15, lambda: release.nodes().keys() == nodes.keys())
        assert uids(release.pods(running=True)) == uids(pods)

        for group in ("l4", "h100-x4"):
            release.scale(group, 0, remove=[pod["metadata"]["name"] for pod in release.workers(group)])
        release.wait_for("no node", lambda: release.nodes() == {})
