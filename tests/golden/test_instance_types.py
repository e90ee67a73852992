"""The chart's table of EC2 instance types: how it is reckoned, and that our classes fit on what they allow."""

from pathlib import Path

import pytest
import yaml

from tests.golden.rendering import CHART, render
from tests.instance_types import OUT, allocatable

CLASSES = yaml.safe_load((CHART / "values.yaml").read_text())["accelerators"]
# Without an image of ours, or for other processors: a tag is enough here.
SOLD_BY_AWS = [name for name, own in CLASSES.items() if own.get("instance") or own.get("nodeRequirements")]


def test_what_is_left_for_pods_is_what_karpenter_documents() -> None:
    """https://karpenter.sh/docs/reference/instance-types: p4d.24xlarge has 96 CPUs and 1152 GiB, and takes 737 pods."""
    assert allocatable(96, 1179648, 737) == (95.69, 1082712)
    assert "p4d.24xlarge,amd64,95.69,1082712Mi,nvidia.com/gpu,8,a100,40960,4" in OUT.read_text().splitlines()


def test_types_are_in_the_order_of_their_size() -> None:
    rows = [line.split(",") for line in OUT.read_text().splitlines() if not line.startswith("#")]
    sizes = [(int(row[5]), float(row[2])) for row in rows]
    assert sizes == sorted(sizes)
    assert len(rows) > 60


@pytest.mark.parametrize("devices", [1, 8])
def test_every_class_that_aws_has_fits_on_an_instance_type(tmp_path: Path, devices: int) -> None:
    clusters, models = {}, {}
    for name in SOLD_BY_AWS:
        tensor = min(devices, CLASSES[name].get("devicesPerHost", 8))
        models[name] = {"source": "hf://a/b", "accelerator": name, "cluster": name, "parallelism": {"tensor": tensor}}
        clusters[name] = {"image": {"tag": "any"}}
    capacity = {"enabled": True, "nodeClass": {"role": "r", "discovery": "d"}}
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump({"models": models, "clusters": clusters, "capacity": capacity}))
    pools = [each for each in yaml.safe_load_all(render(file)) if each["kind"] == "NodePool"]
    assert len(pools) == len(SOLD_BY_AWS)
