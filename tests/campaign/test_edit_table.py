"""Edits of every kind, one after the other under load: the verdict on each, and what the cluster did.

An edit that has its record, for this content of chart and application, is not made again but judged by it: a campaign
that was cut goes on where it was. With RECORD=FILE the records are written as a page, docs/evidence/edits.md.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import Serve
from tests.cluster.foretold import observed, state, verdict
from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.stack import ROOT, Stack
from tests.cluster.test_edits import ray_cluster
from tests.cluster.test_faults import settled
from tests.cluster.test_gateway import metric, pods

ROWS = yaml.safe_load((Path(__file__).parent / "edits.yaml").read_text())
RATES = {"sparrow": 0.5, "owl": 0.5}
COMPONENTS = ("redis", "data")
SHOWN = ("created", "removed", "rolls", "new-cluster", "downtime", "gateway-reload")
"""Effects that ids, uids and counters show. Of milder ones nothing is seen."""
SETTLE = {"new-cluster": 900, "rolls": 400, "downtime": 400, "created": 400, "removed": 300, "gateway-reload": 150}
"""Seconds by which an effect has to be seen; what nobody has foretold begins within `STILL`, and is waited for."""
STILL = 10
NOTE = """The seconds are until no replica of before ran any more, which for a roll may be before the new one does; what
the cluster did is read after all models run. A model is not asked while an edit makes it private."""


def tree() -> str:
    """What was tried: the content of chart and application, as git names it."""
    words = ["git", "rev-parse", "HEAD:charts", "HEAD:serve_app"]
    return "-".join(line[:8] for line in subprocess.check_output(words, cwd=ROOT, text=True).split())


RECORD = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "campaign" / f"edits-{tree()}.jsonl"


def recorded() -> dict[str, dict[str, Any]]:
    """Edit -> its record."""
    lines = RECORD.read_text().splitlines() if RECORD.exists() else []
    return {row["edit"]: row for row in map(json.loads, lines)}


@pytest.fixture(scope="module", autouse=True)
def page(stack: Stack) -> Iterator[None]:
    """Writes the page, if it is asked for, and puts the release back for the module after this one."""
    edited = ray_cluster(stack)
    yield
    if target := os.environ.get("RECORD"):
        Path(target).write_text(written(recorded()))
    last = ray_cluster(stack)
    stack.install()
    if last != edited:  # rows that rebuild were made, and taking them back rebuilds too
        wait_until("the release as it was", SETTLE["new-cluster"], lambda: ray_cluster(stack) != last)
    stack.wait_for_models()


def written(records: dict[str, dict[str, Any]]) -> str:
    """The page: a row for each edit."""
    day, commit = time.strftime("%Y-%m-%d"), subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True)
    rows = [
        f"| {each['edit']} | {each['foretold'] or 'nothing'} | {each['seen'] or 'nothing'} | "
        f"{each['failed']} of {each['sent']} | {each['seconds']:.0f} s |"
        for each in records.values()
    ]
    agreed = sum(each["foretold"] == each["seen"] for each in records.values())
    return (
        f"# The edit table, {day}\n\nCommit {commit.strip()}, `make campaign ONLY=edit_table`: two small models asked "
        "0.5 times a second each, on the local cluster.\n"
        f"The verdict and the cluster agree in {agreed} of {len(records)} edits.\n\n{NOTE}\n\n"
        "| edit | the verdict | what the cluster did | requests failed | settled after |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


class Watch:
    """What ids, uids and counters say has happened since."""

    def __init__(self, stack: Stack, serve: Serve) -> None:
        self._stack, self._serve = stack, serve
        self._before, self._uids, self._reloads = state(stack, serve), self._components(), self._counted()
        self._heads = self._head()

    def _head(self) -> set[str]:
        return {pod["metadata"]["uid"] for pod in pods(self._stack, "app.kubernetes.io/component=ray-head")}

    def _components(self) -> dict[str, set[str]]:
        return {
            f"Deployment {self._stack.fullname}-{name}": {
                pod["metadata"]["uid"] for pod in pods(self._stack, f"app.kubernetes.io/component={name}")
            }
            for name in COMPONENTS
        }

    def _counted(self) -> list[float]:
        return metric(self._stack, "config_reloads_total", source="config", result="ok")

    def seen(self) -> dict[str, str]:
        """Subject -> effect."""
        found = observed(self._before, state(self._stack, self._serve))
        found |= {name: "rolls" for name, uids in self._components().items() if not uids & self._uids[name]}
        if "cluster main" not in found and (now := self._head()) and not now & self._heads:
            found["head main"] = "rolls"
        reloads = self._counted()
        if "gateway" not in found and reloads and min(reloads) > max(self._reloads):
            found["gateway"] = "gateway-reload"
        return found


def expected(said: dict[str, str], watch: set[str]) -> dict[str, str]:
    """What is to be seen of a verdict."""
    found = {subject: effect for subject, effect in said.items() if effect in SHOWN}
    found = {subject: effect for subject, effect in found.items() if subject in watch or subject.startswith("model ")}
    if found.get("cluster main") == "new-cluster":  # with which every model starts anew
        found = {subject: effect for subject, effect in found.items() if not subject.startswith("model ")}
    return {subject: "rolls" if effect == "downtime" else effect for subject, effect in found.items()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["edit"])
def test_the_cluster_does_what_the_verdict_says(
    stack: Stack, serve: Serve, tmp_path: Path, row: dict[str, Any]
) -> None:
    record = recorded().get(row["edit"]) or made(stack, serve, tmp_path, row)
    assert record["seen"] == record["foretold"]
    assert record["failed"] == 0 or record["downtime"]


def made(stack: Stack, serve: Serve, tmp_path: Path, row: dict[str, Any]) -> dict[str, Any]:
    """Makes an edit under load, and records it."""
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(row["values"]))
    arguments = ("--values", str(values))
    said = verdict(stack, ["--reuse-values", *arguments])
    assert {subject: said.get(subject) for subject in row["says"]} == row["says"]
    watched = {"cluster main", "head main", "gateway", *(f"Deployment {stack.fullname}-{name}" for name in COMPONENTS)}
    wanted, watch, began = expected(said, watched), Watch(stack, serve), time.monotonic()
    rates = {model: rate for model, rate in RATES.items() if model not in row.get("unasked", ())}
    with Load(row["edit"], stack.url, stack.api_key, rates) as load:
        stack.edit(*arguments)
        limit = max((SETTLE[effect] for effect in wanted.values()), default=0)
        settle(lambda: watch.seen() == wanted, limit)
        seconds = time.monotonic() - began
        time.sleep(0 if wanted else STILL)
        if "head main" in wanted:  # what Serve's new controller does with the replicas that it finds comes after that
            wait_until("all Ray pods to be settled", 400, lambda: settled(stack), pause=5)
        stack.wait_for_models()
        seen = watch.seen()
    outcomes = load.outcomes.values()
    record = {
        "edit": row["edit"],
        "foretold": told(wanted),
        "seen": told(seen),
        "failed": sum(len(each.failed) for each in outcomes),
        "sent": sum(each.sent for each in outcomes),
        "seconds": seconds,
        "downtime": "downtime" in said.values(),
    }
    RECORD.parent.mkdir(exist_ok=True)
    with RECORD.open("a") as file:
        file.write(json.dumps(record) + "\n")
    return record


def told(effects: dict[str, str]) -> str:
    """Effects in words."""
    return ", ".join(f"{subject}: {effect}" for subject, effect in sorted(effects.items()))


def settle(condition: Callable[[], bool], limit: float) -> None:
    """Waits for it, and no longer than this; what is seen then is judged by the caller."""
    ends = time.monotonic() + limit
    while time.monotonic() < ends:
        try:
            if condition():
                return
        except (OSError, ValueError, KeyError, IndexError):
            pass  # for a moment there are two clusters, or a head that does not answer yet
        time.sleep(2)
