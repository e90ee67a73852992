"""The verdict before an edit, beside what the edit then did to pods, replicas and clusters."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.conftest import Serve
from tests.cluster.stack import CHART, Stack

SEEN = ("created", "removed", "rolls", "new-cluster", "downtime")
"""Effects that a change of uids and ids shows; of milder ones nothing may be seen."""


@dataclass(frozen=True)
class State:
    """What runs: the Ray cluster's name, ids of each model's replicas, uids of the gateway's pods."""

    cluster: str
    replicas: dict[str, set[str]]
    gateways: set[str]


def state(stack: Stack, serve: Serve) -> State:
    """What runs now."""
    (cluster,) = stack.objects("rayclusters.ray.io")
    gateways = stack.objects("pods", "app.kubernetes.io/component=gateway")
    return State(
        cluster["metadata"]["name"],
        serve.replicas(*serve.applications()),
        {pod["metadata"]["uid"] for pod in gateways if not pod["metadata"].get("deletionTimestamp")},
    )


def observed(before: State, after: State) -> dict[str, str]:
    """Subject -> effect, as uids and ids tell it."""
    if before.cluster != after.cluster:
        return {"cluster main": "new-cluster"}
    found = {f"model {name}": "removed" for name in before.replicas.keys() - after.replicas.keys()}
    found |= {f"model {name}": "created" for name in after.replicas.keys() - before.replicas.keys()}
    for name in before.replicas.keys() & after.replicas.keys():
        if not before.replicas[name] & after.replicas[name]:
            found[f"model {name}"] = "rolls"
    return found | ({} if before.gateways & after.gateways else {"gateway": "rolls"})


def verdict(stack: Stack, arguments: Sequence[str], chart: Path = CHART) -> dict[str, str]:
    """Subject -> worst effect, as `helm impact upgrade` says it of these arguments."""
    command = [sys.executable, "-m", "serve_app.impact", "upgrade", stack.release, str(chart), "-n", stack.namespace]
    done = subprocess.run([*command, *arguments, "--report", "json"], capture_output=True, text=True, check=False)
    assert done.returncode != 1, done.stderr
    return {each["subject"]: each["effect"] for each in reversed(json.loads(done.stdout)["findings"])}


@contextmanager
def foretold(stack: Stack, serve: Serve, *arguments: str, chart: Path = CHART) -> Iterator[dict[str, str]]:
    """Asks for the verdict on `helm upgrade --reuse-values ARGUMENTS`; what the block then does has to agree with it.

    Yields:
        Subject -> effect, of all that was said.
    """
    reuse = [] if "--reset-values" in arguments else ["--reuse-values"]
    said, before = verdict(stack, [*reuse, *arguments], chart), state(stack, serve)
    yield said
    subjects = ("cluster ", "model ", "gateway")
    expected = {subject: effect for subject, effect in said.items() if effect in SEEN and subject.startswith(subjects)}
    if "new-cluster" in expected.values():
        expected = {"cluster main": "new-cluster"}  # with which every model starts anew
    assert observed(before, state(stack, serve)) == expected
