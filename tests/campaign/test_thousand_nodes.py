"""A thousand GPU nodes that are objects only: what Karpenter, the API server and KubeRay's operator take for them."""

import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.figures import note
from tests.cluster.kube import kubectl, wait_until
from tests.simulation.control_plane import STATE, control_plane
from tests.simulation.release import EKS_SETTINGS, Release, get, types

CLASSES = ("t4", "l4", "a10g", "l40s", "h100")
EACH = 200
PATIENCE = 1500.0
METRICS = {"karpenter-kwok": 11180, "kuberay-operator": 11182}
CALLS = ("rest_client_requests_total{", "client_go_request_total{")  # the operator's name for them, and Karpenter's


@pytest.fixture(scope="module", autouse=True)
def simulation() -> Iterator[None]:
    """A control plane of their own, beside the local cluster."""
    with control_plane():
        yield


def resident_mib(daemon: str) -> float:
    """Resident memory of one of the simulation's processes."""
    pid = (STATE / "run" / f"{daemon}.pid").read_text().split()[0]
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def cpu_seconds(daemon: str) -> float:
    """CPU time of one of the simulation's processes."""
    pid = (STATE / "run" / f"{daemon}.pid").read_text().split()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def calls(daemon: str) -> float:
    """Requests that a controller has sent to the API server, by its own count."""
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS[daemon]}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(CALLS))


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Note the seconds, calls, CPU time and memory that the block took."""
    began = time.monotonic()
    sent = {daemon: calls(daemon) for daemon in METRICS}
    daemons = (*METRICS, "kube-apiserver", "kube-scheduler", "etcd")
    spent = {daemon: cpu_seconds(daemon) for daemon in daemons}
    yield
    note(f"{what}: {time.monotonic() - began:.0f} s")
    for daemon in daemons:
        requests = f"{calls(daemon) - sent[daemon]:6.0f} API calls, " if daemon in METRICS else ""
        cpu = cpu_seconds(daemon) - spent[daemon]
        note(f"  {daemon:18} {requests}{cpu:5.0f} s of CPU, {resident_mib(daemon):5.0f} MiB")


def running(release: Release) -> int:
    """Worker pods that run."""
    selectors = ("-l", "ray.io/node-type=worker", "--field-selector", "status.phase=Running")
    return len(kubectl("get", "pods", "-n", release.name, "-o", "name", *selectors).split())


def test_a_thousand_workers_of_five_classes() -> None:
    """Each whole node's worth, so that a worker has a node of its own; all asked for at once, then all taken away.

    There may be more nodes than workers: on a slow machine kwok's heartbeats come late, and nodes that are NotReady are
    replaced.
    """
    settings = [*EKS_SETTINGS, "capacity.enabled=true,capacity.nodePoolDefaults.maxDevices=0"]
    # Longer than a pod takes to be bound to its new node meanwhile: until then the node is empty.
    settings.append("capacity.nodePoolDefaults.consolidateAfter=60s,clusterDefaults.autoscaler.idleTimeoutSeconds=5")
    for place, accelerator in enumerate(CLASSES):
        settings.append(f"models.of-{accelerator}.source=hf://a/b,models.of-{accelerator}.accelerator={accelerator}")
        group = f"clusters.main.workerGroups.{accelerator}"
        settings.append(f"{group}.accelerator={accelerator},{group}.devices=8,{group}.order={10 * (place + 1)}")
        settings.append(f"accelerators.{accelerator}.maxWorkers={EACH}")
    with Release("thousand", (), settings) as release:
        with measured("1,000 workers of 5 classes until all are bound and run"):
            for accelerator in CLASSES:
                release.scale(accelerator, EACH)
            wait_until("all to run", PATIENCE, lambda: running(release) == EACH * len(CLASSES), pause=2)
        note(f"  nodes: {types(node['metadata']['labels'] for node in release.nodes().values())}")
        for accelerator in CLASSES:
            workers = release.workers(accelerator)
            assert len({worker["spec"]["nodeName"] for worker in workers}) == EACH
            classes = {labels["ray-vllm-stack.io/accelerator"] for labels in release.node_labels(workers)}
            assert classes == {accelerator}
        with measured("1,000 workers leave until no node is left"):
            for accelerator in CLASSES:
                names = [pod["metadata"]["name"] for pod in release.workers(accelerator)]
                release.scale(accelerator, 0, remove=names)
            wait_until("no node", PATIENCE, lambda: release.nodes() == {}, pause=2)


def test_one_ray_cluster_of_two_hundred_workers() -> None:
    """On nodes of one GPU each: KubeRay's operator makes the pods of a cluster one after the other."""
    settings = [*EKS_SETTINGS, "capacity.enabled=true,capacity.nodePoolDefaults.maxDevices=0"]
    settings.append("models.one.source=hf://a/b,models.one.accelerator=h100,accelerators.h100.maxWorkers=200")
    settings.append("clusters.main.workerGroups.h100.accelerator=h100,clusters.main.workerGroups.h100.devices=8")
    with Release("wide", (), settings) as release, measured("a RayCluster of 200 workers until all run"):
        release.scale("h100", 200)
        wait_until("all to run", PATIENCE, lambda: running(release) == 200, pause=2)


def test_twenty_ray_services() -> None:
    """Their heads only, since kwok's answer no one: what the operator asks for as long as they start."""
    settings = [*EKS_SETTINGS]
    for number in range(20):
        model, cluster = f"models.m{number}", f"clusters.c{number}.workerGroups.cpu"
        settings.append(f"{model}.source=hf://a/b,{model}.accelerator=cpu,{model}.cluster=c{number}")
        settings.append(f"{cluster}.accelerator=cpu")
    with measured("20 RayServices until their heads run"):
        release = Release("many", (), settings).__enter__()
    try:
        with measured("the same 20 for a minute"):
            time.sleep(60)
        assert len(get("rayclusters", "-n", "many")) == 20
    finally:
        release.__exit__()
