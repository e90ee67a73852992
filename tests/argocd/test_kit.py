"""The rest of deploy/argocd: what is generated is up to date, and the parts name what the others have."""

import re
from typing import Any

import pytest
import yaml

from tests.argocd.ignored import differences, filled, written
from tests.golden.rendering import ROOT, VALUES, golden

KIT = ROOT / "deploy/argocd"


def parsed(name: str) -> Any:
    return yaml.safe_load((KIT / name).read_text())


def test_what_is_ignored_is_as_generated() -> None:
    assert (KIT / "ignore-differences.yaml").read_text() == written(), "python -m tests.argocd > deploy/argocd/..."


def test_only_defaults_that_no_manifest_states_are_ignored() -> None:
    port = {"properties": {"port": {}, "protocol": {"default": "TCP"}}}
    schema = {"properties": {"ports": {"items": port}, "size": {"default": 1}, "map": {"additionalProperties": port}}}
    assert filled(schema, {"ports": [{"port": 1}, {"port": 2, "protocol": "UDP"}]}) == {".ports[]?.protocol"}
    assert filled(schema, {"ports": [{"port": 2, "protocol": "UDP"}], "map": {"a": {}}}) == set()
    assert filled({"items": schema}, [{"map": {"a": {}}}]) == {"[]?.size", '[]?.map["a"].protocol'}


def test_ray_and_its_neighbours_are_covered() -> None:
    found = {each["kind"]: each["jqPathExpressions"] for each in differences()}
    assert ".spec.rayClusterConfig.headGroupSpec.template.spec.containers[]?.ports[]?.protocol" in found["RayService"]
    assert not [
        path for paths in found.values() for path in paths if path.endswith((".image", ".args", ".env", ".value"))
    ]


def test_the_project_lets_the_chart_make_what_it_renders() -> None:
    namespaced = {"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
    allowed = {each["kind"] for each in parsed("app-project.yaml")["spec"]["clusterResourceWhitelist"]}
    rendered = {
        each["kind"]
        for values in VALUES
        for each in yaml.safe_load_all(re.sub(r"(?m)^(\s*- )=$", r'\1"="', golden(values).read_text()))
        if each and "namespace" not in each["metadata"]
    }
    assert rendered
    assert rendered | namespaced == allowed


def test_applications_go_where_the_project_lets_them() -> None:
    project, applications = parsed("app-project.yaml")["spec"], parsed("application-set.yaml")["spec"]
    spec = applications["template"]["spec"]
    assert spec["project"] == parsed("app-project.yaml")["metadata"]["name"]
    assert {source["repoURL"] for source in spec["sources"]} <= set(project["sourceRepos"])
    (to,) = project["destinations"]
    assert (spec["destination"]["server"], to["namespace"]) == (to["server"], "llm-*")
    assert spec["destination"]["namespace"].startswith("llm-")
    assert spec["syncPolicy"]["retry"]["limit"] == 0


def test_notifications_that_are_subscribed_to_are_there() -> None:
    told = parsed("notifications.yaml")["data"]
    annotations = parsed("application-set.yaml")["spec"]["template"]["metadata"]["annotations"]
    wanted = {key.split(".")[-2] for key in annotations if "/subscribe." in key}
    triggers = {key.removeprefix("trigger.") for key in told if key.startswith("trigger.")}
    assert wanted == triggers
    for name in triggers:
        for rule in yaml.safe_load(told[f"trigger.{name}"]):
            assert all(f"template.{template}" in told for template in rule["send"])


@pytest.mark.parametrize("file", sorted(KIT.glob("*.yaml")), ids=lambda file: file.name)
def test_the_docs_name_every_file(file: Any) -> None:
    assert f"deploy/argocd/{file.name}" in (ROOT / "docs/argocd.md").read_text()
