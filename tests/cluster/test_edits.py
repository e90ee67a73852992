"""The blast radius of an edit, measured under load through the gateway."""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import HERE, Serve
from tests.cluster.foretold import foretold, verdict
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import CHART, Stack

RATES = {"sparrow": 0.7, "owl": 1.0}  # requests/s: an engine start needs the rest of two cores


def ray_pods(stack: Stack) -> set[tuple[str, int]]:
    """Uid and restarts of every Ray pod."""
    pods: list[dict[str, Any]] = stack.objects("pods", "ray.io/cluster")
    return {
        (pod["metadata"]["uid"], sum(c["restartCount"] for c in pod["status"]["containerStatuses"])) for pod in pods
    }


def ray_cluster(stack: Stack) -> str:
    """Its name; there has to be just one.

    Raises:
        RuntimeError: a second one is starting, or the old one has not gone yet.
    """
    names = [str(cluster["metadata"]["name"]) for cluster in stack.objects("rayclusters.ray.io")]
    if len(names) != 1:
        raise RuntimeError(f"not one Ray cluster but {len(names)}: {', '.join(names)}")
    return names[0]


def gateway_pods(stack: Stack) -> set[str]:
    """Uids of the gateway's pods."""
    return {pod["metadata"]["uid"] for pod in stack.objects("pods", "app.kubernetes.io/component=gateway")}


def ctr(*words: str) -> None:
    """The local cluster's containerd."""
    socket = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "cluster/run/containerd.sock"
    subprocess.run(["ctr", "--address", str(socket), "--namespace", "k8s.io", *words], check=True, capture_output=True)


def test_edits_of_several_subjects_at_once_touch_nothing_else(stack: Stack, serve: Serve) -> None:
    """A model that rolls, another's bounds, a class with its model and a route, each as the verdict says of it."""
    before, cluster, gateways = serve.replicas(*RATES), ray_cluster(stack), gateway_pods(stack)

    def bounds() -> tuple[int, int]:
        deployment = serve.applications()["owl"]["deployments"]["LLMServer:owl"]
        config = deployment["deployment_config"]["autoscaling_config"]
        return config["max_replicas"], config["downscale_delay_s"]

    def sparrow_is_new() -> bool:
        return bool(now := serve.replicas("sparrow")["sparrow"]) and not now & before["sparrow"]

    owl = "models.owl.replicas"  # the long delay holds a second replica off: two engines start meanwhile
    edit = (
        *("-f", str(HERE / "values-third.yaml")),
        *("--set", "models.sparrow.engine.max_num_seqs=6"),
        *("--set", f"{owl}.max=2,{owl}.downscaleDelaySeconds=60,{owl}.upscaleDelaySeconds=600"),
        *("--set-json", 'routes.birds={"backends": {"owl": {}}}'),
    )
    with (
        foretold(stack, serve, *edit) as said,
        Load("model, bounds, class and route edited", stack.url, stack.api_key, RATES | {"chat": 0.5}) as load,
    ):
        stack.edit(*edit)
        wait_until("Serve to take owl's new bounds", 60, lambda: bounds() == (2, 60))
        wait_until("the gateways to list the new route", 120, lambda: listed(stack, "birds"))
        wait_until("sparrow's replica to be replaced", 400, sparrow_is_new)
        wait_until("the third model to run", 400, lambda: serve.runs("wren"))
        stack.wait_for_models()
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {m: [] for m in (*RATES, "chat")}
    assert (said["model sparrow"], said["model owl"], said["model wren"]) == ("rolls", "in-place", "created")
    assert (said["cluster main"], said["gateway"]) == ("in-place", "gateway-reload")
    assert serve.replicas("owl")["owl"] == before["owl"]
    assert (ray_cluster(stack), gateway_pods(stack)) == (cluster, gateways)
    wait_until("the gateways to list the third model", 120, lambda: listed(stack, "wren"))
    with Load("third model", stack.url, stack.api_key, {"wren": 2.0}) as load:
        wait_until("answers of the third model", 60, lambda: load.outcomes["wren"].answered > 3)
    assert load.outcomes["wren"].failed == []


def listed(stack: Stack, name: str) -> bool:
    """Whether every gateway pod offers the name; each reads its configuration in its own time."""
    for pod in stack.objects("pods", "app.kubernetes.io/component=gateway"):
        request = urllib.request.Request(f"http://{pod['status']['podIP']}:8080/v1/models")
        request.add_header("authorization", f"Bearer {stack.api_key}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            if name not in {model["id"] for model in json.load(answer)["data"]}:
                return False
    return True


def test_a_release_with_equal_values_restarts_no_ray_pod_and_fails_no_request(
    stack: Stack, serve: Serve, tmp_path: Path
) -> None:
    before, pods, cluster = serve.replicas(*RATES, "wren"), ray_pods(stack), ray_cluster(stack)
    gateways, key = gateway_pods(stack), stack.api_key
    bumped = tmp_path / "ray-vllm-stack"
    shutil.copytree(CHART, bumped)
    for name in ("Chart.yaml", "files/versions.yaml"):
        text = (bumped / name).read_text()
        (bumped / name).write_text(re.sub(r"(?m)^(version|appVersion|stack): 0\.1\.0", r"\1: 0.1.1", text))
    image, tag = stack.images["gateway"], "next"  # a gateway image that the cluster has not seen under this name
    ctr("images", "tag", "--force", image, f"{image.rpartition(':')[0]}:{tag}")
    edit = ("--set", f"gateway.image.tag={tag}")
    with (
        foretold(stack, serve, *edit, chart=bumped) as said,
        Load("chart and gateway released", stack.url, stack.api_key, RATES | {"wren": 1.0}) as load,
    ):
        stack.edit(*edit, chart=bumped)
        wait_until("the old gateway pods to be gone", 300, lambda: not gateway_pods(stack) & gateways)
        stack.wait_for_models()
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {m: [] for m in (*RATES, "wren")}
    assert (said["gateway"], said["cluster main"]) == ("rolls", "untouched")
    assert stack.api_key == key
    assert stack.objects("deployments.apps", "app.kubernetes.io/component=gateway")[0]["metadata"]["labels"][
        "helm.sh/chart"
    ].endswith("0.1.1")
    assert (serve.replicas(*RATES, "wren"), ray_pods(stack), ray_cluster(stack)) == (before, pods, cluster)


def test_removing_the_last_model_of_a_class_touches_no_other(stack: Stack, serve: Serve) -> None:
    before, cluster = serve.replicas(*RATES), ray_cluster(stack)
    with (
        stack.without("models.wren") as edit,
        foretold(stack, serve, *edit) as said,
        Load("last model of a class removed", stack.url, stack.api_key, RATES) as load,
    ):
        stack.remove("models.wren")
        wait_until("the third model to be gone", 400, lambda: "wren" not in serve.applications())
        wait_until("its worker to be gone", 400, lambda: not stack.objects("pods", "ray.io/group=spare"))
    assert {model: outcome.failed for model, outcome in load.outcomes.items()} == {"sparrow": [], "owl": []}
    assert serve.replicas(*RATES) == before
    assert ray_cluster(stack) == cluster
    assert (said["model wren"], said["model owl"]) == ("removed", "untouched")


CONFIG = "app.kubernetes.io/component=gateway"
REBUILD = ("--set", "clusters.main.env.REBUILT=yes,safeChange.enabled=true")


def test_a_rebuild_that_nobody_allowed_is_stopped_with_nothing_changed(stack: Stack, serve: Serve) -> None:
    before, pods, gateways = serve.replicas(*RATES), ray_pods(stack), gateway_pods(stack)
    (spec,) = [service["spec"] for service in stack.objects("rayservices.ray.io")]
    config = {each["metadata"]["name"]: each.get("data") for each in stack.objects("configmaps", CONFIG)}
    assert verdict(stack, ["--reuse-values", *REBUILD])["cluster main"] == "new-cluster"
    with pytest.raises(RuntimeError, match=r"STOPPED, nothing has changed: new-cluster: cluster main") as stopped:
        stack.edit(*REBUILD, "--set", "routes.never.backends.owl.weight=1")
    assert approval(str(stopped.value))
    assert verdict(stack, ["--reuse-values", *REBUILD])["cluster main"] == "new-cluster"  # stopped, so not applied
    assert [service["spec"] for service in stack.objects("rayservices.ray.io")] == [spec]
    assert {each["metadata"]["name"]: each.get("data") for each in stack.objects("configmaps", CONFIG)} == config
    assert (serve.replicas(*RATES), ray_pods(stack), gateway_pods(stack)) == (before, pods, gateways)
    events = [event for event in stack.objects("events") if event["reason"] == "ChangeStopped"]
    assert events[-1]["involvedObject"]["kind"] == "RayService"


def approval(output: str) -> str:
    """The digest that a stopped upgrade shows."""
    found = re.search(r"safeChange\.approve: (v[0-9a-f]{12})", output)
    assert found, output
    return found[1]
