"""Limits of NodePools, groups of several hosts, and two releases that share a cluster."""

from tests.cluster.figures import note
from tests.simulation.release import EKS, EKS_SETTINGS, Release, stays

BIG = (
    *EKS_SETTINGS,
    "capacity.enabled=true,models.big.source=hf://a/b,models.big.accelerator=h100",
    "models.big.parallelism.tensor=8,models.big.parallelism.pipeline=2,models.big.replicas.max=1",
    "models.big.replicas.min=0,capacity.nodePoolDefaults.consolidateAfter=2s",
    "clusterDefaults.autoscaler.idleTimeoutSeconds=2",
)


def devices(release: Release) -> int:
    """GPUs of all its nodes."""
    return sum(int(node["status"]["capacity"]["nvidia.com/gpu"]) for node in release.nodes().values())


def test_a_pool_never_has_more_devices_than_its_limit() -> None:
    """Three workers of four GPUs each, and room for eight: two run on one node, and the third says why it waits."""
    with Release("limited", [EKS], EKS_SETTINGS) as release:
        release.scale("h100-x4", 3)
        release.wait_for_workers("h100-x4", 2)
        release.wait_for("what the third waits for", lambda: "exceed limits" in release.told())
        stays("eight devices", 5, lambda: devices(release) == 8 and len(release.workers("h100-x4", running=True)) == 2)


def hosts(release: Release, group: str) -> dict[str, int]:
    """Replica of a group of several hosts -> how many of its pods run."""
    counts: dict[str, int] = {}
    for pod in release.workers(group):
        label = pod["metadata"]["labels"]["ray.io/worker-group-replica-name"]
        counts[label] = counts.get(label, 0) + (pod["status"]["phase"] == "Running")
    return counts


def test_a_group_of_two_hosts_lands_on_two_whole_nodes_and_leaves_them_together() -> None:
    """KubeRay makes and deletes the pods of a replica together, Karpenter makes the nodes of one batch together."""
    with Release("gang", (), (*BIG, "capacity.nodePools.h100.maxDevices=16")) as release:
        (group,) = release.groups()
        release.scale(group, 1)
        pods = release.wait_for_workers(group, 2)
        assert list(hosts(release, group).values()) == [2]
        assert len({pod["spec"]["nodeName"] for pod in pods}) == 2
        assert {label["node.kubernetes.io/instance-type"] for label in release.node_labels(pods)} == {"p5.48xlarge"}

        # The limit is a multiple of the group: a second replica waits as a whole, and buys nothing.
        release.scale(group, 2)
        release.wait_for("the second replica", lambda: sorted(hosts(release, group).values()) == [0, 2])
        stays("no third node", 5, lambda: len(release.nodes()) == 2)

        release.scale(group, 0, remove=[pod["metadata"]["name"] for pod in release.workers(group)])
        release.wait_for("no worker", lambda: release.workers(group) == [])
        release.wait_for("no node", lambda: release.nodes() == {})


def test_neither_karpenter_nor_the_scheduler_knows_of_groups() -> None:
    """Not guaranteed: with a limit that is no multiple of the group, half a replica has a node and waits on it."""
    with Release("half", (), (*BIG, "capacity.nodePools.h100.maxDevices=24")) as release:
        (group,) = release.groups()
        release.scale(group, 2)
        release.wait_for_workers(group, 3)
        assert sorted(hosts(release, group).values()) == [1, 2]
        note("a limit of 24 H100 and two replicas of 16: the third node is bought, and half a replica waits on it")


def test_two_releases_take_nothing_from_each_other() -> None:
    """The same values twice: each has room for two workers of four GPUs, and neither uses what the other leaves."""
    with Release("left", [EKS], EKS_SETTINGS) as left, Release("right", [EKS], EKS_SETTINGS) as right:
        left.scale("h100-x4", 1)
        left.wait_for_workers("h100-x4", 1)
        (node,) = left.nodes()  # four GPUs of it are free
        for release in (left, right):
            release.scale("l4", 1)
        right.scale("h100-x4", 1)
        for release in (left, right):
            pods = [*release.wait_for_workers("h100-x4", 1), *release.wait_for_workers("l4", 1)]
            assert {labels["karpenter.sh/nodepool"] for labels in release.node_labels(pods)} <= set(release.pools)
        assert node in left.nodes()
        assert node not in right.nodes()
        assert not set(left.nodes()) & set(right.nodes())
