"""The tables of docs/accelerators.md, made of values.yaml and of the values files for clouds."""

from collections.abc import Iterator
from typing import Any

import yaml

from tests.golden.rendering import CHART, ROOT

DOCS = ROOT / "docs" / "accelerators.md"
CLOUDS = {"GKE": "gke", "AKS": "aks"}


def written(text: str) -> str:
    """The page with its tables as they should be; each stands between `<!-- NAME -->` and `<!-- end -->`."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    for name, rows in {"classes": _classes(values), "platforms": _platforms(values)}.items():
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        text = f"{before}{mark}{table}\n{end}{after}"
    return text


def _classes(values: dict[str, Any]) -> Iterator[list[str]]:
    clouds = {cloud: yaml.safe_load((ROOT / f"values/{file}.yaml").read_text()) for cloud, file in CLOUDS.items()}
    heads = ["class", "platform", "memory", "CPU, memory for a device", "devices of a host", "EKS, Karpenter", *CLOUDS]
    yield heads
    yield ["---"] * len(heads)
    for name, own in sorted(values["accelerators"].items(), key=lambda item: int(item[1]["order"])):
        entry = values["acceleratorDefaults"] | own
        devices = entry["platform"] != "cpu"
        per_device = f"{entry['perDevice']['cpu']}, {entry['perDevice']['memory']}"
        hosts = str(entry["devicesPerHost"])
        if several := entry["multiHost"]["devicesPerHost"]:
            hosts += f"; {several} of several"
        yield [
            f"`{name}`",
            entry["platform"],
            entry["deviceMemory"],
            per_device,
            hosts if devices else "",
            _karpenter(entry),
            *(_labels(_selector(name, entry, cloud, file)) for cloud, file in clouds.items()),
        ]


def _karpenter(entry: dict[str, Any]) -> str:
    if name := entry["instance"].get("gpuName"):
        return f"`instance-gpu-name: {name}`"
    return _labels({key: values[0] for key, values in entry["nodeRequirements"].items()})


def _selector(name: str, entry: dict[str, Any], cloud: str, file: dict[str, Any]) -> dict[str, str]:
    """What selects nodes of a class in a cloud. A class's own labels are Google's, which alone has TPUs."""
    own: dict[str, str] = entry["nodeSelector"] if cloud == "GKE" else {}
    over: dict[str, str] = file["accelerators"].get(name, {}).get("nodeSelector", {})
    return own | over


def _labels(labels: dict[str, str]) -> str:
    """Node labels without the part before the slash, which the cloud's name says."""
    return ", ".join(f"`{key.partition('/')[2]}: {value}`" for key, value in labels.items())


def _platforms(values: dict[str, Any]) -> Iterator[list[str]]:
    yield ["platform", "image", "Kubernetes' name of a device", "Ray's", "taint of its nodes"]
    yield ["---"] * 5
    for name, platform in values["platforms"].items():
        ours = f"ours, `serve:VERSION-{platform['imageTag']}`" if platform["imageTag"] else "yours"
        hint = platform.get("imageHint")
        taints = ", ".join(f"`{each['key']}`" for each in platform["tolerations"])
        names = [f"`{platform[key]}`" if platform[key] else "" for key in ("resource", "rayResource")]
        yield [name, f"{ours}: {hint}" if hint else ours, *names, taints]
