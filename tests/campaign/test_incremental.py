"""A Ray cluster is replaced in steps, under load: KubeRay moves the traffic through a Gateway that Traefik serves.

Traefik runs on this machine, on the node's address, which the gateway's pods reach.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Serve
from tests.cluster.figures import note
from tests.cluster.foretold import foretold, verdict
from tests.cluster.kube import apply_crds, kubectl, wait_until
from tests.cluster.load import Load
from tests.cluster.stack import ROOT, Stack
from tests.cluster.test_edits import RATES, ray_cluster
from tests.cluster.test_gateway import answers, metric, reloaded, urls

CRDS = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "tools/traefik/crds"
GATEWAYS, ROUTES = "gateways.gateway.networking.k8s.io", "httproutes.gateway.networking.k8s.io"
STEP, INTERVAL = 25, 10
GATES = "kuberay-operator.featureGates"
STRATEGY = "clusters.main.upgradeStrategy"
REBUILD = ("--set", "clusters.main.env.IN_STEPS=yes,safeChange.enabled=false")  # another than test_swap.py's


def address() -> str:
    """The node's: Traefik listens there, as pods and this machine reach it. The port is that of KubeRay's listener."""
    (node,) = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    (internal,) = [each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"]
    return f"{internal}:80"


@pytest.fixture
def access_log(tmp_path: Path) -> Iterator[Path]:
    """Traefik serves the GatewayClass of its name; the log has a line for each request."""
    subprocess.run([ROOT / "tests/tools/build.sh", "traefik"], check=True)
    apply_crds(CRDS)
    gateway_class = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": "traefik"},
        "spec": {"controllerName": "traefik.io/gateway-controller"},
    }
    kubectl("apply", "--server-side", "-f", "-", input=json.dumps(gateway_class))
    access = tmp_path / "access.log"
    command = ["traefik", f"--entryPoints.web.address={address()}", "--providers.kubernetesGateway=true"]
    command += [f"--providers.kubernetesGateway.statusAddress.ip={address().partition(':')[0]}"]
    command += [f"--accesslog.filepath={access}", "--log.level=DEBUG", "--global.checkNewVersion=false"]
    with (tmp_path / "traefik.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    yield access
    process.terminate()
    process.wait(20)
    kubectl("delete", "-f", str(CRDS), "--timeout=120s")  # with all objects of their kinds


def holds(found: dict[str, Any], *conditions: str) -> bool:
    """Whether a status, or that of a route's parent, has these conditions."""
    return set(conditions) <= {each["type"] for each in found.get("conditions", []) if each["status"] == "True"}


def programmed(stack: Stack) -> bool:
    """Whether Traefik serves KubeRay's Gateway, and its route to the models."""
    gateways, routes = stack.objects(GATEWAYS), stack.objects(ROUTES)
    parents = [parent for route in routes for parent in route.get("status", {}).get("parents", [])]
    return (
        [gateway["metadata"]["name"] for gateway in gateways] == [f"{stack.fullname}-main-gateway"]
        and holds(gateways[0].get("status", {}), "Accepted", "Programmed")
        and any(holds(parent, "Accepted", "ResolvedRefs") for parent in parents)
    )


def passed(access_log: Path) -> int:
    """Completions that went through Traefik."""
    return sum("/v1/chat/completions" in line for line in access_log.read_text().splitlines())


def cut_by_traefik(access_log: Path) -> int:
    """Answers whose connection to the model Traefik has closed while it copied them."""
    lines = access_log.with_name("traefik.log").read_text().splitlines()
    return sum("read error during body copy" in line and "use of closed network connection" in line for line in lines)


def asked(stack: Stack) -> bool:
    """Whether the gateway's pods answer."""
    return asyncio.run(answers(urls(stack), stack.api_key, "sparrow", 6)) == {"sparrow": 6}


class Steps:
    """What KubeRay's status says of the traffic while a cluster is replaced."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._old, self._began = stack, ray_cluster(stack), time.monotonic()
        self.seen: list[tuple[int, ...]] = []

    def done(self) -> bool:
        """Whether the new cluster is alone; keeps each state on the way."""
        (service,) = self._stack.objects("rayservices.ray.io")
        status = service["status"]
        old, new = status.get("activeServiceStatus") or {}, status.get("pendingServiceStatus") or {}
        if new.get("rayClusterName"):
            state = tuple(
                each.get(key, default)
                for each, default in ((old, 100), (new, 0))
                for key in ("trafficRoutedPercent", "targetCapacity")
            )
            if state not in self.seen[-1:]:
                self.seen.append(state)
                shown = "old cluster {} % of traffic, {} % of capacity; new {} %, {} %".format(*state)
                note(f"replaced in steps: {time.monotonic() - self._began:4.0f} s: {shown}")
        names = [cluster["metadata"]["name"] for cluster in self._stack.objects("rayclusters.ray.io")]
        return len(names) == 1 and names != [self._old]

    @property
    def percents(self) -> list[int]:
        """Of the new cluster's traffic, each value once."""
        return list(dict.fromkeys(state[2] for state in self.seen if state[2]))


@pytest.mark.timeout(3600)  # Traefik may have to be built
def test_a_rebuild_in_steps_passes_under_load(stack: Stack, serve: Serve, access_log: Path) -> None:
    incremental = {
        "gatewayClassName": "traefik",
        "url": f"http://{address()}",
        "stepSizePercent": STEP,
        "intervalSeconds": INTERVAL,
        "peers": [{"ipBlock": {"cidr": f"{address().partition(':')[0]}/32"}}],
    }
    gate = [{"name": "RayServiceIncrementalUpgrade", "enabled": True}]
    strategy = {"type": "incremental", "incremental": incremental}
    turned_on = ("--set-json", f"{GATES}={json.dumps(gate)}", "--set-json", f"{STRATEGY}={json.dumps(strategy)}")
    said = verdict(stack, ["--reuse-values", *turned_on])
    assert (said["cluster main"], said["gateway"]) == ("in-place", "gateway-reload")
    before, cluster = metric(stack, "config_reloads_total", source="config", result="ok"), ray_cluster(stack)
    stack.edit(*turned_on)
    try:
        wait_until("Traefik to serve KubeRay's Gateway", 180, lambda: programmed(stack))
        wait_until("the gateways to go through it", 150, lambda: reloaded(stack, before))
        assert asked(stack)
        assert passed(access_log) >= 6
        assert ray_cluster(stack) == cluster

        through, steps = passed(access_log), Steps(stack)
        with (
            foretold(stack, serve, *REBUILD) as said,
            Load("cluster rebuilt in steps", stack.url, stack.api_key, RATES, 1400) as load,
        ):
            stack.edit(*REBUILD)
            wait_until("the new cluster alone", 1300, steps.done)
            stack.wait_for_models()
        assert said["cluster main"] == "new-cluster"
        sent = sum(outcome.sent for outcome in load.outcomes.values())
        assert passed(access_log) - through >= sent
        # Only what Traefik itself has cut (docs/safe-change.md): of a model that went away its log has other words.
        failed = [line for outcome in load.outcomes.values() for line in outcome.failed]
        assert len(failed) <= cut_by_traefik(access_log), failed
        assert steps.percents == list(range(STEP, 101, STEP))
    finally:
        before = metric(stack, "config_reloads_total", source="config", result="ok")
        stack.remove(GATES, STRATEGY)
        wait_until("the gateways to go to the models again", 150, lambda: reloaded(stack, before))
        stack.kubectl("delete", f"{GATEWAYS},{ROUTES}", "--all", "--timeout=60s")
    assert asked(stack)
