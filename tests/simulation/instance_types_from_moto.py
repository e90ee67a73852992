"""Writes instance-types.csv, the EC2 instance types of one region. By hand, seldom, outside the tests' environment:

uv run --no-project --with moto==5.2.5 python -m tests.simulation.instance_types_from_moto PROVIDER

Types come from moto's copy of EC2's answers, prices from the list in PROVIDER, the source of Karpenter's AWS provider.
"""

import csv
import gzip
import importlib.metadata
import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.instance_types import architecture, described, efas, most_pods

REGION = "us-east-1"
FAMILIES = {"m6i", "m7i", "m7g", "c6i", "c7i", "c7g", "r6i", "r7i", "r7g"}  # beside all those with accelerators
OUT = Path(__file__).with_name("instance-types.csv")


def resource(path: str) -> Any:
    """One of moto's files."""
    file = importlib.metadata.distribution("moto").locate_file(f"moto/ec2/resources/{path}")
    return json.loads(gzip.decompress(Path(str(file)).read_bytes()))


def prices(provider: Path) -> dict[str, str]:
    """Instance type -> USD an hour, on demand, Linux."""
    text = (provider / "pkg/providers/pricing/zz_generated.pricing_aws.go").read_text()
    table = text.partition(f'"{REGION}": {{')[2].partition("\n\t},")[0]
    return dict(re.findall(r'"([\w.-]+)": ([\d.]+)', table))


def row(info: dict[str, Any]) -> dict[str, object]:
    """What the file says of a type, but for its price and zones."""
    gpus = info.get("GpuInfo", {}).get("Gpus", [])
    neuron = info.get("NeuronInfo", {}).get("NeuronDevices", [])
    accelerator = (gpus or neuron or [{}])[0]
    return {
        "name": info["InstanceType"],
        "architecture": architecture(info),
        "cpus": info["VCpuInfo"]["DefaultVCpus"],
        "memory_mib": info["MemoryInfo"]["SizeInMiB"],
        "pods": most_pods(info),
        "efas": efas(info),
        "nvme_gb": info.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0),
        "accelerator": accelerator.get("Name", "").lower().replace(" ", "-"),
        "manufacturer": accelerator.get("Manufacturer", "aws" if neuron else "").lower(),
        "devices": accelerator.get("Count", 0),
        "device_mib": accelerator.get("MemoryInfo", {}).get("SizeInMiB", 0),
        "neuron_cores": accelerator.get("CoreInfo", {}).get("Count", 0) * accelerator.get("Count", 0),
    }


def main() -> None:
    """Write the file."""
    priced = prices(Path(sys.argv[1]))
    zones: dict[str, str] = {}
    for offering in resource(f"instance_type_offerings/availability-zone/{REGION}.json.gz"):
        zones[offering["InstanceType"]] = zones.get(offering["InstanceType"], "") + offering["Location"][-1]
    rows = [
        row(info) | {"usd_per_hour": priced[name], "zones": "".join(sorted(zones[name]))}
        for name, info in sorted(described().items())
        if name in zones and name in priced
        if name.partition(".")[0] in FAMILIES or info.keys() & {"GpuInfo", "NeuronInfo"}
    ]
    with OUT.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
