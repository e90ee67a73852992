"""EC2 instance types: what instance-types.csv says of them, and as the file that Karpenter's kwok provider reads."""

import csv
import json
import re
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tests.instance_types import allocatable

REGION = "us-east-1"
# Karpenter's AWS provider and EKS Auto Mode have the same labels in domains of their own. Here nodes have both.
_DOMAINS = ("karpenter.k8s.aws", "eks.amazonaws.com")
# Spot prices change by the hour and nobody has a copy; what matters here is that spot is cheaper.
_SPOT_SHARE = 0.4


class InstanceType(BaseModel):
    """An instance type, its devices and where it is offered."""

    model_config = ConfigDict(frozen=True)

    name: str
    architecture: str
    cpus: int
    memory_mib: int
    pods: int
    efas: int
    nvme_gb: int
    accelerator: str
    manufacturer: str
    devices: int
    device_mib: int
    neuron_cores: int
    usd_per_hour: float
    zones: tuple[str, ...]

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its nodes, as Karpenter's AWS provider sets them."""
        family, size = self.name.split(".")
        series = re.match(r"([a-z]+)([0-9]+)", family)
        assert series
        labels = {
            "instance-category": series[1],
            "instance-generation": series[2],
            "instance-family": family,
            "instance-size": size,
            "instance-cpu": str(self.cpus),
            "instance-memory": str(self.memory_mib),
            "instance-hypervisor": "" if size.startswith("metal") else "nitro",
        }
        if self.nvme_gb:
            labels["instance-local-nvme"] = str(self.nvme_gb)
        if self.manufacturer == "nvidia":
            labels["instance-gpu-name"] = self.accelerator
            labels["instance-gpu-manufacturer"] = self.manufacturer
            labels["instance-gpu-count"] = str(self.devices)
            labels["instance-gpu-memory"] = str(self.device_mib)
        elif self.accelerator:
            labels["instance-accelerator-name"] = self.accelerator
            labels["instance-accelerator-manufacturer"] = self.manufacturer
            labels["instance-accelerator-count"] = str(self.devices)
        return {f"{domain}/{key}": value for key, value in labels.items() for domain in _DOMAINS}

    @property
    def allocatable(self) -> dict[str, int]:
        """Resources for pods, CPU in millicores, memory in MiB: without the VM's 7.5 % and what EKS reserves."""
        cpus, memory = allocatable(self.cpus, self.memory_mib, self.pods)
        resources = {"cpu": int(cpus * 1000), "memory": memory, "pods": self.pods}
        if self.efas:
            resources["vpc.amazonaws.com/efa"] = self.efas
        if self.manufacturer == "nvidia" and self.devices:
            resources["nvidia.com/gpu"] = self.devices
        if self.neuron_cores:
            resources["aws.amazon.com/neuron"] = self.devices
            resources["aws.amazon.com/neuroncore"] = self.neuron_cores
        return resources

    def price(self, capacity_type: str) -> float:
        """USD an hour: the list's on demand, a fixed share of it as spot."""
        return self.usd_per_hour * (_SPOT_SHARE if capacity_type == "spot" else 1)


_NOT_ON_ALL = (
    *(f"gpu-{key}" for key in ("name", "manufacturer", "count", "memory")),
    *(f"accelerator-{key}" for key in ("name", "manufacturer", "count")),
    "local-nvme",
)
_ABSENT = [f"{domain}/instance-{key}" for key in _NOT_ON_ALL for domain in _DOMAINS]
# The provider takes this from every type's capacity, for which EKS reserves more.
_PROVIDER_RESERVES = {"cpu": 100, "memory": 10}


@cache
def instance_types() -> tuple[InstanceType, ...]:
    """All types of the file."""
    with Path(__file__).with_name("instance-types.csv").open() as file:
        return tuple(
            InstanceType.model_validate(row | {"zones": [REGION + letter for letter in row["zones"]]})
            for row in csv.DictReader(file)
        )


def provider_file() -> str:
    """The text of the file that Karpenter's kwok provider reads, of all types."""
    return json.dumps([_provided(kind) for kind in instance_types()])


def _provided(kind: InstanceType) -> dict[str, object]:
    """A type in the provider's form, which has labels of one's own at offerings only."""
    labels = [{"key": key, "operator": "In", "values": [value]} for key, value in kind.labels.items()]
    absent = [{"key": key, "operator": "DoesNotExist"} for key in _ABSENT if key not in kind.labels]
    allocatable = {key: value + _PROVIDER_RESERVES.get(key, 0) for key, value in kind.allocatable.items()}
    units = {"cpu": "m", "memory": "Mi"}
    return {
        "name": kind.name,
        "architecture": kind.architecture,
        "operatingSystems": ["linux"],
        "resources": {key: f"{value}{units.get(key, '')}" for key, value in allocatable.items()}
        | {"ephemeral-storage": "180Gi"},
        "offerings": [
            {
                "Price": kind.price(capacity_type),
                "Available": True,
                "Requirements": [
                    {"key": "karpenter.sh/capacity-type", "operator": "In", "values": [capacity_type]},
                    {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]},
                    {"key": "topology.kubernetes.io/region", "operator": "In", "values": [REGION]},
                    *labels,
                    *absent,
                ],
            }
            for zone in kind.zones
            for capacity_type in ("on-demand", "spot")
        ],
    }
