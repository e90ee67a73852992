"""What the chart says of accelerators is what Ray's own managers, its autoscaler and vLLM say; no device is needed.

Every class is rendered in worker groups of one device, of a whole host and, for TPUs, of every topology. The autoscaler
in the serve image then reads these groups as it reads a RayCluster's.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_serve_config import CHART, image, run

__all__ = ["image"]

MANAGERS = {
    "cuda": "NvidiaGPUAcceleratorManager",
    "rocm": "AMDGPUAcceleratorManager",
    "tpu": "TPUAcceleratorManager",
    "neuron": "NeuronAcceleratorManager",
    "gaudi": "HPUAcceleratorManager",
}
GENERATIONS = {"v5e": "v5litepod", "v6e": "v6e"}
SLICES: dict[str, dict[str, Any]] = {
    "h100-3g": {"resource": "nvidia.com/mig-3g.40gb", "devicesPerHost": 1},
    "l4-shared": {"resource": "nvidia.com/gpu.shared", "devicesPerHost": 1},
}
CHECK = """
import importlib.util, json, pathlib, re
from ray._private import accelerators
from ray._private.accelerators.tpu import TPUAcceleratorManager, get_chips_per_host
from ray.autoscaler._private.kuberay.autoscaling_config import _get_ray_resources_from_group_spec
from ray.autoscaler._private.kuberay.utils import tpu_node_selectors_to_type

def group(spec, accelerator, topology):
    found = {"resources": _get_ray_resources_from_group_spec(spec, is_head=False)}
    if topology:
        generation = tpu_node_selectors_to_type(topology, accelerator).split("-")[0]
        found["generation"] = generation
        found["valid"] = TPUAcceleratorManager.is_valid_tpu_accelerator_topology(generation, topology)
        found["chips"] = get_chips_per_host(topology, generation)
    return found

def vllm(platform):
    folder = pathlib.Path(importlib.util.find_spec("vllm").origin).parent
    return re.search(r'ray_device_key: str = "(\\w+)"', (folder / f"platforms/{platform}.py").read_text())[1]

given = json.loads(pathlib.Path("/given/given.json").read_text())
managers = {name: getattr(accelerators, name) for name in given["managers"]}
print(json.dumps({
    "names": {name: each.get_resource_name() for name, each in managers.items()},
    "shared": {name: each.validate_resource_request_quantity(0.5)[0] for name, each in managers.items()},
    "vllm": {name: vllm(name) for name in ("cuda", "rocm")},
    "groups": {name: group(*each) for name, each in given["groups"].items()},
}))
"""


def shapes(entry: dict[str, Any]) -> list[tuple[int, int]]:
    """The devices of a pod and the hosts of the groups that a class is tried with."""
    if topologies := entry.get("topologies"):
        several = entry["multiHost"]["devicesPerHost"]
        return [(int(key), 1) if int(key) <= 8 else (several, int(key) // several) for key in topologies]
    most = 1 if entry.get("platform") == "cpu" else entry.get("devicesPerHost", 8)
    return sorted({(1, 1), (most, 1)})


@pytest.fixture(scope="module")
def defaults() -> dict[str, Any]:
    loaded = yaml.safe_load((CHART / "values.yaml").read_text())
    loaded["accelerators"] |= SLICES
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def groups(defaults: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every worker group that the chart renders for a class, by its name: CLASS-DEVICESxHOSTS."""
    values: dict[str, Any] = {"accelerators": SLICES, "clusters": {}, "models": {}}
    for name, entry in defaults["accelerators"].items():
        platform = entry.get("platform", "cuda")
        cluster = values["clusters"].setdefault(platform, {"image": {"tag": "own"}, "workerGroups": {}})
        for devices, hosts in shapes(entry):
            group = {"accelerator": name, "devices": devices, "hosts": hosts}
            cluster["workerGroups"][f"{name}-{devices}x{hosts}"] = group
        values["models"].setdefault(platform, {"source": "hf://a/b", "accelerator": name, "cluster": platform})
    file = tmp_path_factory.mktemp("values") / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    command = ["helm", "template", "demo", str(CHART), "--namespace", "llm", "--values", str(file)]
    rendered = yaml.safe_load_all(subprocess.check_output(command, text=True))
    specs = [each["spec"]["rayClusterConfig"] for each in rendered if each and each["kind"] == "RayService"]
    return {group["groupName"]: group for spec in specs for group in spec["workerGroupSpecs"]}


def selected(group: dict[str, Any], key: str) -> str:
    """The node label that a group's pods ask for, without GKE's prefix; empty if they ask for none."""
    return str(group["template"]["spec"].get("nodeSelector", {}).get(f"cloud.google.com/gke-tpu-{key}", ""))


@pytest.fixture(scope="module")
def ray(image: str, groups: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Ray and vLLM say, in one run: importing them takes longer than asking."""
    folder: Path = tmp_path_factory.mktemp("given")
    folder.chmod(0o755)
    asked = {
        name: (group, selected(group, "accelerator"), selected(group, "topology")) for name, group in groups.items()
    }
    (folder / "given.json").write_text(json.dumps({"managers": list(MANAGERS.values()), "groups": asked}))
    done = run(image, "python", "-c", CHECK, binds=(f"{folder}:/given",))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_devices_have_rays_own_names(ray: dict[str, Any], defaults: dict[str, Any]) -> None:
    named = {name: platform["rayResource"] for name, platform in defaults["platforms"].items() if name != "cpu"}
    assert named == {platform: ray["names"][manager] for platform, manager in MANAGERS.items()}
    assert ray["vllm"] == {"cuda": named["cuda"], "rocm": named["rocm"]}


def test_only_gpus_are_shared(ray: dict[str, Any], defaults: dict[str, Any]) -> None:
    """The guard of `acceleratorShare` goes by the name of the Ray resource."""
    shared = {platform: ray["shared"][manager] for platform, manager in MANAGERS.items()}
    assert shared == {name: defaults["platforms"][name]["rayResource"] == "GPU" for name in MANAGERS}


def test_the_autoscaler_knows_what_a_pod_of_every_class_has(ray: dict[str, Any], defaults: dict[str, Any]) -> None:
    for name, entry in defaults["accelerators"].items():
        resource = defaults["platforms"][entry.get("platform", "cuda")]["rayResource"]
        for devices, hosts in shapes(entry):
            found = ray["groups"][f"{name}-{devices}x{hosts}"]["resources"]
            shape = f"-{hosts}x{devices}" if hosts > 1 else ""
            assert found[f"accelerator-class-{name}{shape}"] == 1000
            devices_of_ray = {key: found[key] for key in ("GPU", *ray["names"].values()) if key in found}
            assert devices_of_ray == ({resource: devices} if resource else {}), name


def test_topologies_are_those_of_ray(ray: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Ray takes each for valid, and derives as many chips of a host as the pod has, and the slice's head resource."""
    for name, generation in GENERATIONS.items():
        for devices, hosts in shapes(defaults["accelerators"][name]):
            found = ray["groups"][f"{name}-{devices}x{hosts}"]
            assert (found["generation"], found["valid"], found["chips"]) == (generation, True, devices)
            assert found["resources"][f"TPU-{generation}-{devices * hosts}-head"] == 1
