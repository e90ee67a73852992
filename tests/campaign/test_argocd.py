"""Argo CD's own differ on the release as it lives: an idle one shows no difference, an edit does."""

import json
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from tests.cluster.kube import helm
from tests.cluster.stack import ROOT, Stack

IGNORED = yaml.safe_load((ROOT / "deploy/argocd/ignore-differences.yaml").read_text())["ignoreDifferences"]
Differs = Callable[[Any, Any], bool]


@pytest.fixture(scope="module")
def differs() -> Iterator[Differs]:
    """Whether Argo CD sees a difference between a manifest and a live object."""
    subprocess.run([ROOT / "tests/tools/build.sh", "argodiff"], check=True)
    with subprocess.Popen(["argodiff"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout

        def ask(config: Any, live: Any) -> bool:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps({"config": config, "live": live, "ignore": IGNORED}) + "\n")
            process.stdin.flush()
            return bool(json.loads(process.stdout.readline())["different"])

        yield ask
        process.stdin.close()


@pytest.fixture(scope="module")
def objects(stack: Stack) -> list[tuple[Any, Any]]:
    """What the release rendered, each with what lives."""
    rendered = [
        each for each in yaml.safe_load_all(helm("get", "manifest", stack.release, "-n", stack.namespace)) if each
    ]
    found = []
    for each in rendered:
        group = each["apiVersion"].partition("/")[0] if "/" in each["apiVersion"] else ""
        kind = f"{each['kind']}.{group}".rstrip(".")
        found.append((each, json.loads(stack.kubectl("get", kind, each["metadata"]["name"], "-o", "json"))))
    return found


def test_an_idle_release_shows_no_difference(objects: list[tuple[Any, Any]], differs: Differs) -> None:
    assert len(objects) > 20
    assert [each["kind"] + " " + each["metadata"]["name"] for each, live in objects if differs(each, live)] == []


def test_an_edit_is_a_difference(objects: list[tuple[Any, Any]], differs: Differs) -> None:
    ((config, live),) = [both for both in objects if both[0]["kind"] == "RayService"]
    for key, value in (("maxReplicas", 77), ("groupName", "other")):
        edited = deepcopy(config)
        edited["spec"]["rayClusterConfig"]["workerGroupSpecs"][0][key] = value
        assert differs(edited, live), key
