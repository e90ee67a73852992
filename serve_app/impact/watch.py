"""Follows a change until it is complete, has failed, or time is up: the second half of what a verdict has foretold."""

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from serve_app.impact.errors import ImpactError
from serve_app.impact.manifests import Object, label
from serve_app.impact.progress import Progress, State, of

FAILED, TIMED_OUT = 4, 5
"""Exit statuses where a change does not get further by itself, and where it takes longer than it may."""
_KINDS = "rayservices.ray.io,rayclusters.ray.io,deployments.apps,pods"
_RUNNING = re.compile(rb"^ray_vllm_num_requests_running\{[^}]*\} ([0-9.e+]+)$", re.MULTILINE)
_ASK_SECONDS = 30


class Release:
    """A release on the cluster of the user's own kubectl."""

    def __init__(self, name: str, place: Sequence[str]) -> None:
        """Asks nothing yet.

        Args:
            name: Of the release.
            place: Flags of kubectl that say where it is.
        """
        self._name = name
        self._place = list(place)

    def objects(self) -> list[Object]:
        """Its RayServices, their clusters, Deployments and pods.

        Raises:
            ImpactError: kubectl failed.
        """
        selector = f"app.kubernetes.io/instance={self._name}"
        found: list[Object] = json.loads(self._kubectl("get", _KINDS, "--selector", selector, "--output", "json"))[
            "items"
        ]
        return found

    def running(self, pods: Sequence[Object]) -> dict[str, int]:
        """RayCluster -> requests that its engines answer; only of pods that can be asked through the API server."""
        workers = [each for each in pods if label(each, "ray.io/node-type") == "worker"]
        with ThreadPoolExecutor(8) as pool:
            counts = list(pool.map(self._running, workers))
        found: Counter[str] = Counter()
        for each, count in zip(workers, counts, strict=True):
            if count is not None:
                found[label(each, "ray.io/cluster")] += count
        return dict(found)

    def _running(self, pod: Object) -> int | None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}:8080/proxy/metrics"
        try:
            text = self._kubectl("get", "--raw", path).encode()
        except ImpactError:
            return None  # it starts or goes, or this user may not ask pods
        return round(sum(float(value) for value in _RUNNING.findall(text)))

    def _kubectl(self, *arguments: str) -> str:
        command = ["kubectl", f"--request-timeout={_ASK_SECONDS}s", *self._place, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * _ASK_SECONDS)
        except FileNotFoundError as error:
            raise ImpactError("kubectl is not on the PATH, install it") from error
        except subprocess.TimeoutExpired as error:
            raise ImpactError("kubectl does not end, see whether the cluster answers") from error
        if done.returncode:
            raise ImpactError(f"kubectl {arguments[0]} failed, correct what it says: {done.stderr.strip()}")
        return done.stdout


def watch(
    look: Callable[[], list[Progress]],
    *,
    timeout_seconds: float,
    patience_seconds: float,
    settle_seconds: float,
    interval_seconds: float,
    say: Callable[[str], object],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> int:
    """Looks until the change is complete.

    Args:
        look: Tells how far it has come.
        timeout_seconds: Bound of all.
        patience_seconds: How long something may stay failed before that is the end: Serve and the kubelet try again.
        settle_seconds: How long all has to be done: what KubeRay says of Serve comes seconds late.
        interval_seconds: Between two looks.
        say: Prints a line; each is new, or half a minute old.
        clock: Seconds that only grow.
        sleep: Waits.

    Returns:
        0, `FAILED` or `TIMED_OUT`.

    Raises:
        ImpactError: The cluster could not be asked for as long as something may stay failed.
    """
    began = answered = clock()
    since: dict[State, float] = {}
    said: dict[str, tuple[str, float]] = {}
    while True:
        try:
            found, answered = look(), clock()
        except ImpactError:
            if clock() - answered >= patience_seconds:
                raise
            found = [Progress(State.GOING, "the cluster does not answer")]
        now = clock()
        for each in found:
            subject = each.line.partition(":")[0]
            line, before = said.get(subject, ("", 0.0))
            if line != each.line or now - before >= _ASK_SECONDS:
                said[subject] = (each.line, now)
                say(f"{now - began:5.0f} s  {each.line}")
        states = {each.state for each in found}
        state = State.FAILED if State.FAILED in states else State.DONE if states <= {State.DONE} else State.GOING
        since = {state: since.get(state, now)}
        if state is State.DONE and now - since[state] >= settle_seconds:
            say(f"complete after {now - began:.0f} s")
            return 0
        if state is State.FAILED and now - since[state] >= patience_seconds:
            say(f"FAILED: so for {now - since[state]:.0f} s; what ran before still serves: see helm rollback")
            return FAILED
        if now - began >= timeout_seconds:
            say(f"TIMED OUT after {now - began:.0f} s; it may still come")
            return TIMED_OUT
        sleep(interval_seconds)


def follow(
    name: str, place: Sequence[str], *, timeout_seconds: float, patience_seconds: float, say: Callable[[str], object]
) -> int:
    """Watches a release on the cluster of the user's own kubectl.

    Raises:
        ImpactError: There is no such release, or the cluster cannot be asked.
    """
    release = Release(name, place)
    if not any(each["kind"] in ("RayService", "Deployment") for each in release.objects()):
        raise ImpactError(f"there is nothing of a release {name}, correct its name or --namespace")

    def look() -> list[Progress]:
        objects = release.objects()
        return of(objects, release.running([each for each in objects if each["kind"] == "Pod"]))

    return watch(
        look,
        timeout_seconds=timeout_seconds,
        patience_seconds=patience_seconds,
        settle_seconds=20,
        interval_seconds=5,
        say=say,
    )
