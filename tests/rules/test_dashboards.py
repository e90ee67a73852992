"""What Grafana expects of the dashboards' structure; the cluster tests show that their queries return data."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.stack import CHART

FILES = sorted((CHART / "files/dashboards").glob("*.json"))
VARIABLES = {
    "ray-vllm-stack": ["datasource", "namespace", "cluster", "model"],
    "ray-vllm-stack-pipelines": ["datasource", "namespace", "cluster", "pipeline"],
    "ray-vllm-stack-gateway": ["datasource", "namespace", "model", "route", "team"],
}
# The ids of Grafana's units that the dashboards use; Grafana shows a misspelt one as a suffix, and says nothing.
UNITS = {"short", "bytes", "reqps", "ops", "s", "ms", "percent", "percentunit"}


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    file: Path = request.param
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """All panels but rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def test_is_found_again_after_an_update(dashboard: dict[str, Any]) -> None:
    assert dashboard["uid"]
    assert "id" not in dashboard, "an id belongs to one Grafana"
    assert dashboard["schemaVersion"] >= 39


def test_panels_have_their_own_ids_titles_and_places(dashboard: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in dashboard["panels"]]
    titles = [panel["title"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    assert len(set(titles)) == len(titles)
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart or below, f"{one} and {other} overlap"


def test_panels_say_what_they_show(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0
        assert all(target["legendFormat"] for target in panel["targets"])


def test_everything_reads_the_chosen_data_source(dashboard: dict[str, Any]) -> None:
    variables = dashboard["templating"]["list"]
    queries = [variable for variable in variables if variable["type"] == "query"]
    readers = [*panels(dashboard), *(target for panel in panels(dashboard) for target in panel["targets"]), *queries]
    assert all(reader["datasource"] == {"type": "prometheus", "uid": "${datasource}"} for reader in readers)
    assert [variable["name"] for variable in variables] == VARIABLES[dashboard["uid"]]


def test_every_query_is_about_the_chosen_namespace(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            selectors = target["expr"].count("{")
            assert target["expr"].count('namespace="$namespace"') == selectors, target["expr"]


def test_queries_are_what_prometheus_reads(dashboard: dict[str, Any], tmp_path: Path) -> None:
    queries = [target["expr"] for panel in panels(dashboard) for target in panel["targets"]]
    rules = [{"record": f"q{n}", "expr": query.replace("$__rate_interval", "1m")} for n, query in enumerate(queries)]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
