"""Every shipped environment that has Karpenter bring nodes, and every accelerator class that AWS has."""

import itertools
from pathlib import Path

import pytest
import yaml

from tests.cluster.figures import note
from tests.cluster.stack import ROOT
from tests.simulation.instance_types import InstanceType, instance_types
from tests.simulation.release import EKS, EKS_SETTINGS, Release, types

# What a class is on AWS: the name of its GPU there, the memory of one in MiB at least, or its instance family.
GPUS = {
    "t4": ("t4", 16384),
    "l4": ("l4", 22888),
    "a10g": ("a10g", 22888),
    "l40s": ("l40s", 45776),
    "a100-40gb": ("a100", 40960),
    "a100-80gb": ("a100", 81920),
    "h100": ("h100", 81920),
    "h200": ("h200", 144384),
    "b200": ("b200", 183359),
    "rtx-pro-6000": ("rtx-pro-server-6000", 98304),
    "inf2": ("inferentia2", 32768),
}
ENVIRONMENTS = [
    file
    for file in sorted((ROOT / "values").glob("*.yaml"))
    if (yaml.safe_load(file.read_text()).get("capacity") or {}).get("enabled")
]


def of_class(kind: InstanceType, accelerator: str) -> bool:
    """Whether an instance type has whole devices of a class."""
    name, memory = GPUS[accelerator]
    return kind.accelerator == name and kind.device_mib >= memory and kind.devices > 0


def cheapest(accelerator: str, pod: dict[str, object]) -> str:
    """The cheapest instance type with devices of the class on which a worker pod fits, by our own reckoning."""
    spec = pod["spec"]
    assert isinstance(spec, dict)
    requests = spec["containers"][0]["resources"]["requests"]
    units = {"cpu": 1000, "memory": 1024}  # the chart writes whole cores and Gi
    needs = {key: int(value.removesuffix("Gi")) * units.get(key, 1) for key, value in requests.items()}
    fits = [
        kind
        for kind in instance_types()
        if of_class(kind, accelerator)
        and kind.architecture == "amd64"
        and all(kind.allocatable.get(key, 0) >= value for key, value in needs.items())
    ]
    return min(fits, key=lambda kind: kind.usd_per_hour).name


def accelerator_of(release: Release, group: str) -> str:
    """The class of a worker group, as its pods' NodePool tells."""
    pool = release.groups()[group]["template"]["spec"]["nodeSelector"]["ray-vllm-stack.io/node-pool"]
    found = {
        each["spec"]["template"]["metadata"]["labels"]["ray-vllm-stack.io/accelerator"]
        for each in release.pools.values()
        if each["spec"]["template"]["metadata"]["labels"]["ray-vllm-stack.io/node-pool"] == pool
    }
    (name,) = found
    return str(name)


def assert_landed(release: Release, group: str) -> None:
    """Assert that each pod of a group is on the cheapest node of its class, one that its NodePools ask for."""
    accelerator = accelerator_of(release, group)
    pods = release.workers(group, running=True)
    assert pods
    for pod, labels in zip(pods, release.node_labels(pods), strict=True):
        assert labels["ray-vllm-stack.io/accelerator"] == accelerator
        assert labels["node.kubernetes.io/instance-type"] == cheapest(accelerator, pod)
        for requirement in release.pools[labels["karpenter.sh/nodepool"]]["spec"]["template"]["spec"]["requirements"]:
            if requirement["operator"] == "In":
                assert labels[requirement["key"]] in requirement["values"], requirement


@pytest.mark.parametrize("values", ENVIRONMENTS, ids=lambda file: file.stem)
def test_a_worker_of_every_group_lands_on_the_cheapest_node_of_its_class(values: Path) -> None:
    with Release(f"of-{values.stem}", [values], EKS_SETTINGS) as release:
        groups = sorted(release.groups())
        assert groups
        for group in groups:
            release.scale(group, 1)
        for group in groups:
            release.wait_for_workers(group, 1)
        for group in groups:
            assert_landed(release, group)
        assert release.pods("ray.io/node-type=head", running=True)[0]["spec"]["nodeName"] == "base"


def test_every_class_of_aws_has_a_node_for_one_device_and_for_a_whole_host() -> None:
    """Groups of one device and of the largest host; the trn2 class is not offered in the region."""
    hosts = {"inf2": 24}
    settings = [*EKS_SETTINGS, "capacity.enabled=true", "capacity.nodePoolDefaults.maxDevices=0"]
    settings.append("clusters.neuron.image.tag=any")
    for place, accelerator in enumerate(GPUS):
        most, model = hosts.get(accelerator, 8), f"models.of-{accelerator}"
        cluster = "neuron" if accelerator == "inf2" else "cuda"  # one image for a cluster
        settings.append(f"{model}.source=hf://a/b,{model}.accelerator={accelerator},{model}.cluster={cluster}")
        for devices in (1, most):
            group = f"clusters.{cluster}.workerGroups.{accelerator}-x{devices}"
            settings.append(f"{group}.accelerator={accelerator},{group}.devices={devices}")
            settings.append(f"{group}.order={10 * place + devices}")
    with Release("classes", (), settings) as release:
        groups = release.groups()
        assert len(groups) == 2 * len(GPUS)
        for group in groups:
            release.scale(group, 1)
        for group in groups:
            release.wait_for_workers(group, 1)
        labels = {group: release.node_labels(release.workers(group))[0] for group in groups}
        assert {group: each["ray-vllm-stack.io/accelerator"] for group, each in labels.items()} == {
            group: group.rpartition("-x")[0] for group in groups
        }
        names = {kind.name: kind for kind in instance_types()}
        for group, each in labels.items():
            assert of_class(names[each["node.kubernetes.io/instance-type"]], group.rpartition("-x")[0]), (group, each)


def test_workers_that_come_at_once_share_a_node_unless_its_size_is_stated(tmp_path: Path) -> None:
    """Karpenter takes the cheapest type that holds all pods which are pending: with more devices than they ask for."""
    of_one = {"key": "karpenter.k8s.aws/instance-gpu-count", "operator": "In", "values": ["1"]}
    spec = {"template": {"spec": {"requirements": [of_one]}}}
    (tmp_path / "sizes.yaml").write_text(yaml.safe_dump({"capacity": {"nodePools": {"l4": {"spec": spec}}}}))
    names = {kind.name: kind for kind in instance_types()}
    with (
        Release("any-size", [EKS], EKS_SETTINGS) as any_size,
        Release("one-gpu", [EKS, tmp_path / "sizes.yaml"], EKS_SETTINGS) as one_gpu,
    ):
        for release in (any_size, one_gpu):
            release.scale("l4", 2)
        for release in (any_size, one_gpu):
            release.wait_for_workers("l4", 2)
        assert types(node["metadata"]["labels"] for node in one_gpu.nodes().values()) == {"g6.2xlarge": 2}
        bought = types(node["metadata"]["labels"] for node in any_size.nodes().values())
        assert all(of_class(names[name], "l4") for name in bought)
        price = sum(names[name].usd_per_hour * count for name, count in bought.items())
        share = price / (2 * names["g6.2xlarge"].usd_per_hour)
        note(f"two l4 workers at once: {bought}, {share:.2f} times the price of two g6.2xlarge")


def test_the_instance_types_are_what_the_chart_has_classes_for() -> None:
    """Every NVIDIA GPU of the last generations has a class here, or is one that the chart knows nothing of."""
    known = {name for name, _ in GPUS.values()}
    offered = {kind.accelerator for kind in instance_types() if kind.accelerator and kind.devices}
    assert known <= offered
    assert set(itertools.chain(known, {"t4g", "v100", "rtx-pro-4500", "b300", "inferentia", "trainium"})) >= offered
