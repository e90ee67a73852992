"""Argo CD makes a release of the chart, keeps it, follows its git repository, tells what fails, and leaves nothing.

The tests' own release has the operator; this one is beside it. ARGOCD_IDLE_MINUTES is how long it has to stay as it is.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.campaign.argo import Application, Repository, argo_cd
from tests.cluster.figures import note
from tests.cluster.kube import kubectl, wait_until
from tests.cluster.stack import ROOT, Stack

IDLE = float(os.environ.get("ARGOCD_IDLE_MINUTES", "10")) * 60
VALUES = [
    ROOT / path
    for path in ("values/cpu-demo.yaml", "tests/cluster/values-local.yaml", "tests/campaign/values-argocd.yaml")
]
pytestmark = pytest.mark.timeout(3600)  # Argo CD may have to be built


@dataclass(frozen=True)
class Live:
    """The release as Argo CD has it."""

    stack: Stack
    before: set[str]
    repository: Repository
    application: Application

    def service(self) -> dict[str, Any]:
        """The RayService."""
        (found,) = self.stack.objects("rayservices.ray.io")
        return found

    def commit(self, values: dict[str, Any]) -> str:
        """An edit in git, and the call that tells Argo CD of it."""
        made = self.repository.edit(values)
        self.application.refresh()
        return made

    def follow(self, values: dict[str, Any], seconds: float = 600) -> None:
        """Commits an edit, and waits until it is made and all is healthy."""
        made = self.commit(values)
        wait_until("the commit to be live", 200, lambda: self.application.synced == made)
        wait_until("all to be healthy", seconds, lambda: self.application.health == "Healthy")


@pytest.fixture(scope="module")
def live(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The Application, created; its release is on its way."""
    folder = tmp_path_factory.mktemp("argocd")
    release = Stack("llm", "llm-live", VALUES, stack.images)
    release.prepare()
    repository = Repository(folder / "repository", VALUES)
    try:
        with argo_cd(folder, repository.url):
            found = Live(release, release.everything(), repository, Application("live", release, repository))
            found.application.create()
            yield found
    finally:
        kubectl("delete", "namespace", release.namespace, "--wait=false")


def test_it_is_synced_and_healthy_and_stays_so(live: Live) -> None:
    """Compared every minute, with self-heal: no sync, no change of a spec."""
    began, application = time.monotonic(), live.application
    wait_until("the first sync", 300, lambda: application.operation.get("phase") == "Succeeded")
    wait_until("all to be healthy", 900, lambda: application.health == "Healthy", pause=1)
    wait_until("it to be Synced", 60, lambda: bool(application.synced))
    note(f"Argo CD: Synced and Healthy after {time.monotonic() - began:.0f} s; then watched for {IDLE:.0f} s")

    def state() -> tuple[Any, ...]:
        service = live.service()
        return application.operation, application.status["history"], service["metadata"]["generation"], service["spec"]

    before, compared, ends = state(), {application.status["reconciledAt"]}, time.monotonic() + IDLE
    while time.monotonic() < ends:
        time.sleep(2)
        status = application.status
        assert (status["sync"]["status"], status["health"]["status"]) == ("Synced", "Healthy"), json.dumps(status)
        compared.add(status["reconciledAt"])
    assert state() == before
    assert len(compared) > IDLE // 120


def test_an_edit_is_progressing_and_then_healthy(live: Live) -> None:
    generation = live.service()["metadata"]["generation"]
    made = live.commit({"models": {"sparrow": {"engine": {"max_num_seqs": 6}}}})
    wait_until("the edit to be on its way", 200, lambda: live.application.health == "Progressing", pause=0.1)
    wait_until("all to be healthy", 600, lambda: live.application.health == "Healthy")
    assert live.application.synced == made
    assert live.service()["metadata"]["generation"] > generation


def test_a_change_that_the_guard_stops_changes_nothing(live: Live) -> None:
    """A new cluster that nobody approved: the sync fails and is not tried again."""
    service, edit = live.service(), {"models": {"sparrow": {"engine": {"max_num_seqs": 6}}}}
    live.commit(edit | {"clusters": {"main": {"env": {"REBUILT": "yes"}}}})
    wait_until("the sync to fail", 300, lambda: live.application.operation.get("phase") == "Failed")
    stopped = live.application.operation
    time.sleep(90)  # it is compared once more
    assert live.application.operation == stopped
    assert live.service()["spec"] == service["spec"]
    assert [event for event in live.stack.objects("events") if event["reason"] == "ChangeStopped"]
    live.follow(edit)


def test_a_model_that_cannot_start_is_degraded_with_its_reason(live: Live) -> None:
    live.commit({"models": {"sparrow": {"engine": {"max_model_len": 1000000}}}})
    wait_until("the model to fail", 500, lambda: live.application.health == "Degraded")
    said = live.application.reason("RayService")
    note(f"Argo CD of a model that cannot start: {' '.join(said.split())[:400]}")
    assert "sparrow is DEPLOY_FAILED: " in said
    assert "max_model_len" in said
    live.follow({})


def test_deleting_the_application_leaves_nothing(live: Live) -> None:
    assert f"deployment.apps/{live.stack.fullname}-gateway" in live.stack.everything() - live.before
    live.application.delete()
    left: set[str] = set()

    def gone() -> bool:
        left.clear()
        left.update(live.stack.everything() - live.before)
        return not left

    try:
        wait_until("every object of the release to be gone", 120, gone)
    except TimeoutError as error:
        raise AssertionError(f"left: {sorted(left)}") from error
