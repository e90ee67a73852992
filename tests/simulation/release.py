"""A release of the chart in the simulation: KubeRay's operator makes its pods, Karpenter its nodes."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from tests.cluster.kube import helm, kubectl, wait_until
from tests.cluster.stack import CHART, ROOT

PATIENCE = 180.0  # seconds for what takes ten on an idle machine
EKS = ROOT / "values/eks-gpu.yaml"
EKS_SETTINGS = ("capacity.nodeClass.role=node", "capacity.nodeClass.discovery=cluster")
_CLASS = {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "simulation"}


def get(kinds: str, *arguments: str) -> list[dict[str, Any]]:
    """Objects of some kinds."""
    return json.loads(kubectl("get", kinds, "-o", "json", *arguments))["items"]


def simulated(document: dict[str, Any]) -> dict[str, Any]:
    """An object as the chart renders it, but for the node class of a NodePool: the kwok provider has its own."""
    if document["kind"] == "NodePool":
        document["spec"]["template"]["spec"]["nodeClassRef"] = _CLASS
    return document


def relevant(document: dict[str, Any]) -> bool:
    """Whether its kind is known here: monitors and routes are not, which level 4 has."""
    return document["apiVersion"].partition("/")[0] not in ("monitoring.coreos.com", "gateway.networking.k8s.io")


@dataclass
class Release:
    """A release, installed while it is entered; `settings` are as after helm's `--set`."""

    name: str
    values: Sequence[Path] = ()
    settings: Sequence[str] = ()
    objects: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Install it, without helm's hooks, and wait until KubeRay has made its heads."""
        files = [word for file in self.values for word in ("-f", str(file))]
        settings = [
            word for setting in ("kuberay-operator.enabled=false", *self.settings) for word in ("--set", setting)
        ]
        text = helm("template", self.name, str(CHART), "-n", self.name, "--no-hooks", *files, *settings)
        self.objects = [simulated(each) for each in yaml.safe_load_all(text) if each and relevant(each)]
        kubectl("create", "namespace", self.name)
        self.apply(self.objects)
        services = sum(document["kind"] == "RayService" for document in self.objects)
        wait_until("the Ray clusters", PATIENCE, lambda: len(self.clusters()) == services)
        wait_until("their heads", PATIENCE, lambda: len(self.pods("ray.io/node-type=head", running=True)) == services)
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it: Ray clusters first, whose finalizers need the namespace; pods before nodes, which go later."""
        kubectl("delete", "rayservices", "--all", "-n", self.name, f"--timeout={PATIENCE:.0f}s")
        kubectl("delete", "namespace", self.name, f"--timeout={PATIENCE:.0f}s")
        if self.pools:
            kubectl("delete", "nodepools", *self.pools, "--ignore-not-found", "--wait=false")

    def apply(self, objects: Iterable[dict[str, Any]]) -> None:
        """Apply objects to its namespace."""
        kubectl(
            "apply", "--server-side", "--force-conflicts", "-n", self.name, "-f", "-", input=yaml.safe_dump_all(objects)
        )

    @property
    def pools(self) -> dict[str, dict[str, Any]]:
        """Name -> NodePool, as rendered."""
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] == "NodePool"}

    def clusters(self) -> list[dict[str, Any]]:
        """Its RayClusters, which KubeRay's operator makes."""
        return get("rayclusters", "-n", self.name)

    def pods(self, selector: str = "ray.io/node-type=worker", *, running: bool = False) -> list[dict[str, Any]]:
        """Its pods by label, those that are on a node where `running`."""
        found = get("pods", "-n", self.name, "-l", selector)
        return [pod for pod in found if not running or pod["status"]["phase"] == "Running"]

    def workers(self, group: str, *, running: bool = False) -> list[dict[str, Any]]:
        """Pods of a worker group."""
        return self.pods(f"ray.io/group={group}", running=running)

    def groups(self) -> dict[str, dict[str, Any]]:
        """Name -> worker group, of all its Ray clusters."""
        return {each["groupName"]: each for cluster in self.clusters() for each in cluster["spec"]["workerGroupSpecs"]}

    def scale(self, group: str, replicas: int, *, remove: Sequence[str] = ()) -> None:
        """Patch a worker group as Ray's autoscaler does: its replicas, and the pods that go."""
        for cluster in self.clusters():
            names = [each["groupName"] for each in cluster["spec"]["workerGroupSpecs"]]
            if group in names:
                at = f"/spec/workerGroupSpecs/{names.index(group)}"
                patch: list[dict[str, Any]] = [{"op": "add", "path": f"{at}/replicas", "value": replicas}]
                if remove:
                    strategy = {"workersToDelete": list(remove)}
                    patch.append({"op": "add", "path": f"{at}/scaleStrategy", "value": strategy})
                kubectl(
                    *("patch", "raycluster", cluster["metadata"]["name"], "-n", self.name, "--type=json"),
                    *("-p", json.dumps(patch)),
                )
                return
        raise KeyError(group)

    def wait_for_workers(self, group: str, count: int) -> list[dict[str, Any]]:
        """Wait until so many pods of a group run.

        Raises:
            TimeoutError: They do not; with what the scheduler and Karpenter say.
        """
        self.wait_for(f"{count} of {group}", lambda: len(self.workers(group, running=True)) == count)
        return self.workers(group, running=True)

    def wait_for(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until something holds.

        Raises:
            TimeoutError: It does not; with what the scheduler and Karpenter say of the pods.
        """
        try:
            wait_until(what, PATIENCE, condition)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.told()}") from None

    def told(self) -> str:
        """What was said of its pods."""
        events = get("events", "-n", self.name, "--field-selector=involvedObject.kind=Pod,type=Warning")
        return "\n".join(sorted({event["message"] for event in events}))

    def nodes(self) -> dict[str, dict[str, Any]]:
        """Name -> node, of its NodePools."""
        names = ",".join(self.pools)
        found = get("nodes", "-l", f"karpenter.sh/nodepool in ({names})") if names else []
        return {node["metadata"]["name"]: node for node in found}

    def node_labels(self, pods: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
        """Labels of the nodes on which pods are."""
        nodes = {node["metadata"]["name"]: node for node in get("nodes")}
        return [nodes[pod["spec"]["nodeName"]]["metadata"]["labels"] for pod in pods]


def types(labels: Iterable[dict[str, str]]) -> dict[str, int]:
    """Instance type -> how many nodes have it."""
    return dict(Counter(each["node.kubernetes.io/instance-type"] for each in labels))


def stays(what: str, seconds: float, condition: Callable[[], bool]) -> None:
    """Assert that something holds now and for a while."""
    end = time.monotonic() + seconds
    while True:
        assert condition(), what
        if time.monotonic() > end:
            return
        time.sleep(0.5)
