"""What EC2 has none of: spot runs dry, and nothing else takes the place of an accelerator."""

from tests.simulation.control_plane import Dry
from tests.simulation.release import EKS, EKS_SETTINGS, Release, get, stays


def capacity_types(release: Release, group: str) -> list[str]:
    """Capacity type of the node of each running pod of a group, the oldest first."""
    pods = sorted(release.workers(group, running=True), key=lambda pod: pod["metadata"]["creationTimestamp"])
    return [labels["karpenter.sh/capacity-type"] for labels in release.node_labels(pods)]


def test_spot_runs_dry_and_an_on_demand_node_comes(dry: Dry) -> None:
    """The launch of a spot node is refused, and the pod that waits gets an on-demand node. Other spot nodes stay."""
    with Release("spot-dry", [EKS], EKS_SETTINGS) as release:
        release.scale("l4", 1)
        (first,) = release.wait_for_workers("l4", 1)
        assert capacity_types(release, "l4") == ["spot"]
        assert release.node_labels([first])[0]["node.kubernetes.io/instance-type"] == "g6.2xlarge"

        dry(capacity_type="spot", gpu_name="l4")
        release.scale("l4", 2)
        release.wait_for_workers("l4", 2)
        assert capacity_types(release, "l4") == ["spot", "on-demand"]

        dry.end()  # spot is asked for first again
        release.scale("l4", 3)
        release.wait_for_workers("l4", 3)
        assert capacity_types(release, "l4") == ["spot", "on-demand", "spot"]


def test_without_an_l4_there_is_no_h100_in_its_place(dry: Dry) -> None:
    """The worker waits, and Karpenter says why."""
    dry(gpu_name="l4")
    with Release("no-l4", [EKS], EKS_SETTINGS) as release:
        release.scale("l4", 1)
        release.wait_for("what the pod waits for", lambda: "no instance type" in release.told())
        claims = get("nodeclaims", "-l", f"karpenter.sh/nodepool in ({','.join(release.pools)})")
        assert {claim["metadata"]["labels"]["ray-vllm-stack.io/accelerator"] for claim in claims} <= {"l4"}
        stays("no node", 5, lambda: release.nodes() == {} and not release.workers("l4", running=True))

        dry.end()
        release.wait_for_workers("l4", 1)


def test_a_dry_zone_moves_the_node_to_another(dry: Dry) -> None:
    for zone in "abc":
        dry(zone=f"us-east-1{zone}")
    with Release("zones", [EKS], EKS_SETTINGS) as release:
        release.scale("h100-x4", 1)
        (pod,) = release.wait_for_workers("h100-x4", 1)
        assert release.node_labels([pod])[0]["topology.kubernetes.io/zone"] in {f"us-east-1{zone}" for zone in "def"}
