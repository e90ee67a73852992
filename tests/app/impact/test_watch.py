"""How far a change has come, on objects as KubeRay and Kubernetes write them, and when the watching ends."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serve_app.impact import progress, watch
from serve_app.impact.__main__ import main
from serve_app.impact.errors import ImpactError
from serve_app.impact.manifests import Object
from serve_app.impact.progress import Progress, State

RUNS = {"status": "RUNNING", "message": ""}
CRASH = "Failed to update the deployments.\nmax_model_len (2048) is greater than the derived max_model_len (256)"
FAILS = {"status": "DEPLOY_FAILED", "message": CRASH}
ROLLS = {
    "status": "DEPLOYING",
    "message": "",
    "serveDeploymentStatuses": {"LLMServer:owl": {"status": "UPDATING", "message": "Updating to a newer config"}},
}


def conditions(**states: str) -> list[Object]:
    return [{"type": name, "status": state, "reason": "R", "message": ""} for name, state in states.items()]


def rayservice(
    active: dict[str, Any], pending: dict[str, Any] | None = None, *, generation: int = 3, upgrading: str = "False"
) -> Object:
    status: Object = {
        "observedGeneration": 3,
        "numServeEndpoints": 2,
        "conditions": conditions(Ready="True", UpgradeInProgress=upgrading),
        "activeServiceStatus": {"rayClusterName": "demo-main-aaaaa", "applicationStatuses": active},
        "pendingServiceStatus": {},
    }
    if pending is not None:
        status["pendingServiceStatus"] = {"rayClusterName": "demo-main-bbbbb", "applicationStatuses": pending}
    return {"kind": "RayService", "metadata": {"name": "demo-main", "generation": generation}, "status": status}


def raycluster(end: str) -> Object:
    labels = {"ray.io/originated-from-crd": "RayService", "ray.io/originated-from-cr-name": "demo-main"}
    made = {"aaaaa": "2026-11-28T10:00:00Z", "bbbbb": "2026-11-28T11:00:00Z"}[end]
    return {
        "kind": "RayCluster",
        "metadata": {"name": f"demo-main-{end}", "labels": labels, "creationTimestamp": made},
        "status": {"state": "ready"},
    }


def test_an_incremental_upgrade_says_where_the_traffic_is() -> None:
    service = rayservice({"owl": RUNS}, {"owl": RUNS}, upgrading="True")
    service["status"]["activeServiceStatus"]["trafficRoutedPercent"] = 80
    service["status"]["pendingServiceStatus"]["trafficRoutedPercent"] = 20
    (found,) = progress.of([service, raycluster("aaaaa"), raycluster("bbbbb")], {})
    assert "cluster demo-main-aaaaa (active, 80 % of the traffic): " in found.line
    assert "cluster demo-main-bbbbb (new, 20 % of the traffic): " in found.line


def pod(name: str, cluster: str = "demo-main-aaaaa", *, waiting: Object | None = None, **metadata: Any) -> Object:
    state = {"waiting": waiting} if waiting else {"running": {}}
    labels = {"ray.io/cluster": cluster, "ray.io/node-type": "worker", "app": "gateway"}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "llm", "labels": labels, **metadata},
        "status": {
            "conditions": conditions(Ready="False" if waiting else "True"),
            "containerStatuses": [{"name": "ray-worker", "state": state}],
        },
    }


def deployment(updated: int, total: int, available: int, progressing: str = "NewReplicaSetAvailable") -> Object:
    return {
        "kind": "Deployment",
        "metadata": {"name": "demo-gateway", "generation": 2},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "gateway"}}},
        "status": {
            "observedGeneration": 2,
            "updatedReplicas": updated,
            "replicas": total,
            "availableReplicas": available,
            "conditions": [{"type": "Progressing", "status": "True", "reason": progressing}],
        },
    }


NOT_THERE = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
OLD, NEW = raycluster("aaaaa"), raycluster("bbbbb")


@pytest.mark.parametrize(
    ("objects", "state", "says"),
    [
        (
            [rayservice({"owl": RUNS}), OLD, pod("w")],
            State.DONE,
            "demo-main-aaaaa (active): 1/1 pods ready; owl RUNNING",
        ),
        ([rayservice({"owl": RUNS}, generation=4), OLD], State.GOING, "KubeRay has not seen it"),
        (
            [rayservice({"owl": ROLLS, "wren": RUNS}), OLD],
            State.GOING,
            "owl DEPLOYING (Updating to a newer config); wren RUN",
        ),
        ([rayservice({"owl": FAILS}), OLD], State.FAILED, "owl DEPLOY_FAILED (max_model_len (2048) is greater than"),
        ([rayservice({"owl": {"status": "UNHEALTHY"}}), OLD], State.GOING, "owl UNHEALTHY"),
        (
            [rayservice({"owl": RUNS}, {"owl": ROLLS}, upgrading="True"), NEW, OLD, pod("w", "demo-main-bbbbb")],
            State.GOING,
            "cluster demo-main-aaaaa (active): 0/0 pods ready, 7 requests running; "
            "cluster demo-main-bbbbb (new): 1/1 pods ready; owl RUNNING; owl DEPLOYING",
        ),
        ([rayservice({"owl": RUNS}, {"owl": FAILS}, upgrading="True"), OLD, NEW], State.FAILED, "on the new cluster"),
        ([rayservice({"owl": RUNS}), OLD, NEW], State.GOING, "cluster demo-main-bbbbb (old, it drains)"),
        (
            [rayservice({"owl": RUNS}), OLD, pod("w", waiting=NOT_THERE)],
            State.FAILED,
            "pod w, ray-worker: ImagePullBackOff",
        ),
        (
            [rayservice({"owl": RUNS}), OLD, pod("w", waiting=NOT_THERE, deletionTimestamp="x")],
            State.DONE,
            "owl RUNNING",
        ),
        (
            [rayservice({"owl": RUNS}), OLD, pod("w", waiting={"reason": "ContainerCreating"})],
            State.DONE,
            "0/1 pods ready",
        ),
        ([deployment(2, 2, 2)], State.DONE, "demo-gateway: 2/2 pods are new, 2 available, 0 old"),
        ([deployment(1, 3, 2, "ReplicaSetUpdated")], State.GOING, "1/2 pods are new, 2 available, 2 old"),
        ([deployment(1, 3, 2, "ProgressDeadlineExceeded")], State.FAILED, "1/2 pods are new"),
        ([deployment(1, 3, 2), pod("g", "", waiting={"reason": "CrashLoopBackOff"})], State.FAILED, "CrashLoopBackOff"),
    ],
)
def test_progress(objects: list[Object], state: State, says: str) -> None:
    (found,) = progress.of(objects, {"demo-main-aaaaa": 7} if len(objects) == 4 else {})
    assert found.state is state
    assert says in found.line


class Clock:
    """Time that passes when somebody waits."""

    now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def watched(states: Iterator[State | None], **changes: float) -> tuple[int, list[str], float]:
    """What watching says of states, one each second, and for how long it watched; None: the cluster does not answer."""
    clock, said = Clock(), list[str]()

    def look() -> list[Progress]:
        state = next(states)
        if state is None:
            raise ImpactError("no")
        return [Progress(state, f"demo: {state.value}")]

    bounds = {"timeout_seconds": 100.0, "patience_seconds": 10.0, "settle_seconds": 3.0} | changes
    status = watch.watch(look, interval_seconds=1, say=said.append, clock=clock, sleep=clock.sleep, **bounds)
    return status, said, clock.now - 100


def states(text: str) -> Iterator[State | None]:
    """`g`oing, `d`one, `f`ailed, `?`; the last for ever."""
    letters = {"g": State.GOING, "d": State.DONE, "f": State.FAILED, "?": None}
    yield from (letters[letter] for letter in text)
    while True:
        yield letters[text[-1]]


@pytest.mark.parametrize(
    ("text", "status", "seconds"),
    [
        ("ggd", 0, 5),
        ("dgd", 0, 5),  # done too early: KubeRay had not yet told what Serve does
        ("ggf", watch.FAILED, 12),
        ("fffffgd", 0, 9),  # Serve tries again
        ("g", watch.TIMED_OUT, 100),
        ("gd?????d", 0, 10),
    ],
)
def test_watching_ends(text: str, status: int, seconds: float) -> None:
    found, said, took = watched(states(text))
    assert (found, took) == (status, seconds)
    assert said[-1].startswith({0: "complete after", 4: "FAILED: so for", 5: "TIMED OUT after"}[status])


def test_a_cluster_that_does_not_answer_ends_it_too() -> None:
    with pytest.raises(ImpactError, match="no"):
        watched(states("g?"))


def test_a_line_is_said_when_it_is_new_or_old() -> None:
    _, said, _ = watched(states("g"), timeout_seconds=40)
    assert said[:-1] == ["    0 s  demo: going", "   30 s  demo: going"]


def test_the_command_asks_kubectl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [rayservice({"owl": FAILS}), OLD, pod("w1"), pod("w2")]
    (tmp_path / "objects.json").write_text(json.dumps({"items": items}))
    (tmp_path / "metrics").write_text(
        "# TYPE ray_vllm_num_requests_running gauge\n"
        'ray_vllm_num_requests_running{model_name="owl"} 2.0\nray_vllm_num_requests_running{model_name="wren"} 1.0\n'
        "ray_vllm_num_requests_running_other{} 9.0\n"
    )
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        f'case "$*" in *pods/w1:8080*) cat {tmp_path}/metrics ;; *--raw*) exit 1 ;;'
        f" *) cat {tmp_path}/objects.json ;; esac\n"
    )
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HELM_NAMESPACE", "llm")
    assert main(["watch", "demo", "--kube-context", "c", "--timeout", "0"]) == watch.TIMED_OUT
    printed = capsys.readouterr().out
    assert "cluster demo-main-aaaaa (active): 2/2 pods ready, 3 requests running; owl DEPLOY_FAILED" in printed
    first = (tmp_path / "calls").read_text().splitlines()[0]
    assert "--namespace=llm --context=c get rayservices.ray.io,rayclusters.ray.io" in first
    assert "--selector app.kubernetes.io/instance=demo" in first


def test_a_release_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\necho '{\"items\": []}'\n")
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert main(["watch", "demo"]) == 1
    assert "there is nothing of a release demo" in capsys.readouterr().err
