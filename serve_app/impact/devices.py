"""Devices that replicas take, and that worker groups have."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serve_app.impact.manifests import Object, at

_CLASS = "accelerator-class-"


@dataclass(frozen=True)
class Replicas:
    """The replicas of one deployment: their class with its shape, devices of each, and their bounds."""

    accelerator: str
    devices: float
    fewest: int
    most: int
    surge_percent: int
    drain_seconds: float

    @property
    def surge(self) -> float:
        """Devices that a roll takes beyond those in use while the fewest replicas run, one at least."""
        return math.ceil(self.surge_percent * max(self.fewest, 1) / 100) * self.devices

    @property
    def surge_most(self) -> float:
        """The same while as many replicas run as may."""
        return math.ceil(self.surge_percent * max(self.most, 1) / 100) * self.devices


def replicas(application: Object, override: Mapping[str, Any]) -> Replicas:
    """The replicas of a deployment of a model, from what the model's app and its override say."""
    args = application.get("args") or {}
    role = str(override.get("name", "")).partition(":")[0].lower()
    part = {**args, **((args.get("roles") or {}).get(role) or {})}
    accelerator = part.get("accelerator") or {}
    sizes = part.get("parallelism") or {}
    scaling = override.get("autoscaling_config") or {}
    fixed = override.get("num_replicas")
    count = fixed if isinstance(fixed, int) else 1
    return Replicas(
        accelerator="-".join(filter(None, (str(accelerator.get("class", "")), str(accelerator.get("pods") or "")))),
        devices=int(sizes.get("tensor", 1)) * int(sizes.get("pipeline", 1)) * float(accelerator.get("share", 1)),
        fewest=int(scaling.get("min_replicas", count)),
        most=int(scaling.get("max_replicas", max(count, 1))),
        surge_percent=int(override.get("max_surge_percent") or 0),
        drain_seconds=float(override.get("graceful_shutdown_timeout_s") or 20),
    )


def capacity(config: Object) -> dict[str, float]:
    """Class with its shape -> devices of all worker pods that there may be, where their size is known."""
    found: dict[str, float] = defaultdict(float)
    for group in config.get("workerGroupSpecs") or []:
        params = group.get("rayStartParams") or {}
        try:
            offered = json.loads(str(params.get("resources", "{}")).strip("'\"").replace("\\", "") or "{}")
        except ValueError:
            continue
        names = [name.removeprefix(_CLASS) for name in offered if name.startswith(_CLASS)]
        others = [amount for name, amount in offered.items() if not name.startswith(_CLASS)]
        each = params.get("num-gpus") or (others[0] if others else params.get("num-cpus"))
        if len(names) != 1 or each is None:
            continue
        pods = int(group.get("maxReplicas", 0)) * int(group.get("numOfHosts") or 1)
        found[names[0]] += pods * float(each)
    return dict(found)


def limits_of(group: Object) -> dict[str, Any]:
    """Resources that one pod of a worker group asks for."""
    containers = at(group, "template.spec.containers") or []
    return (containers[0].get("resources") or {}).get("requests") or {} if containers else {}


def amount(devices: float, accelerator: str) -> str:
    """A number of devices in words."""
    kind = "pod" if accelerator.partition("-")[0] == "cpu" else "device"
    return f"{devices:g} {kind}{'' if devices == 1 else 's'} of class {accelerator or '(none)'}"
