"""`make instance-types`: writes files/instance-types.csv, what pods can have on EC2's instance types with accelerators.

Types come from moto's copy of EC2's answers. Of a node's CPU and memory the kubelet, its eviction threshold and the
hypervisor keep a part; it is reckoned as Karpenter's AWS provider does before a node is there.
"""

import gzip
import importlib.metadata
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

OUT = Path(__file__).parents[1] / "charts" / "ray-vllm-stack" / "files" / "instance-types.csv"
HEAD = """\
# What pods can have on EC2's instance types with accelerators, as Karpenter reckons it before a node is there; smallest
# first. Made by `make instance-types` of moto {version} on {day}. Type, architecture, CPUs, memory, resource of a
# device, devices, GPU's name, MiB of a GPU, interfaces for EFA:
"""
VM_OVERHEAD = 0.075
EVICTION_MIB = 100
RESOURCES = {"nvidia": "nvidia.com/gpu", "amd": "amd.com/gpu", "habana": "habana.ai/gaudi"}


def described() -> dict[str, dict[str, Any]]:
    """EC2's description of each instance type, by its name."""
    moto = importlib.metadata.distribution("moto")
    packed = Path(str(moto.locate_file("moto/ec2/resources/instance_types.json.gz"))).read_bytes()
    types: dict[str, dict[str, Any]] = json.loads(gzip.decompress(packed))
    return types


def architecture(info: dict[str, Any]) -> str:
    """As Kubernetes names it."""
    return {"x86_64": "amd64", "arm64": "arm64"}[info["ProcessorInfo"]["SupportedArchitectures"][0]]


def most_pods(info: dict[str, Any]) -> int:
    """Pods that get an address of the instance's network interfaces."""
    network = info["NetworkInfo"]
    interfaces = network["NetworkCards"][network.get("DefaultNetworkCardIndex", 0)]["MaximumNetworkInterfaces"]
    return int(interfaces * (network["Ipv4AddressesPerInterface"] - 1) + 2)


def efas(info: dict[str, Any]) -> int:
    """Network interfaces for EFA."""
    return int(info["NetworkInfo"].get("EfaInfo", {}).get("MaximumEfaInterfaces", 0))


class Row(NamedTuple):
    """A line of the file; CPUs and memory are what is left for pods."""

    type: str
    architecture: str
    cpu: float
    memory: str
    resource: str
    devices: int
    gpu: str
    gpu_mib: int
    efas: int


def allocatable(cpus: int, mib: int, pods: int) -> tuple[float, int]:
    """CPUs and MiB that are left for pods on an instance with so many CPUs, MiB, and addresses for pods."""
    reserved = [60, 10, 5, 5][:cpus]
    millicores = 1000 * cpus - sum(reserved) - 2.5 * max(cpus - 4, 0)
    return int(millicores) / 1000, mib - math.ceil(mib * VM_OVERHEAD) - (11 * pods + 255) - EVICTION_MIB


def row(info: dict[str, Any]) -> Row | None:
    """A type with whole accelerators; None: it has none."""
    gpu = next(iter(info.get("GpuInfo", {}).get("Gpus", [])), None)
    neuron = next(iter(info.get("NeuronInfo", {}).get("NeuronDevices", [])), None)
    if gpu and gpu["Count"]:
        resource, devices = RESOURCES[gpu["Manufacturer"].lower()], gpu["Count"]
    elif neuron:
        resource, devices = "aws.amazon.com/neuroncore", neuron["Count"] * neuron["CoreInfo"]["Count"]
    else:
        return None
    cpu, memory = allocatable(info["VCpuInfo"]["DefaultVCpus"], info["MemoryInfo"]["SizeInMiB"], most_pods(info))
    return Row(
        type=info["InstanceType"],
        architecture=architecture(info),
        cpu=cpu,
        memory=f"{memory}Mi",
        resource=resource,
        devices=devices,
        gpu=gpu["Name"].lower().replace(" ", "-") if gpu else "",
        gpu_mib=gpu["MemoryInfo"]["SizeInMiB"] if gpu else 0,
        efas=efas(info),
    )


def main() -> None:
    """Write the file."""
    rows = [each for info in described().values() if (each := row(info))]
    rows.sort(key=lambda each: (each.devices, each.cpu, each.type))
    head = HEAD.format(version=importlib.metadata.version("moto"), day=datetime.now(UTC).date())
    OUT.write_text(head + "".join(",".join(map(str, each)) + "\n" for each in rows))


if __name__ == "__main__":
    main()
