"""Every series of pipelines that a panel names is one that their parts have, with those labels."""

import ast
import inspect
import json
import re

import pytest

from serve_app.pipelines import measures
from tests.cluster.stack import CHART

SUFFIXES = {"Counter": ("_total",), "Histogram": ("_bucket", "_sum", "_count")}
OF_RAY = {"application", "deployment", "replica"}
OF_PROMETHEUS = {"namespace", "ray_service"}
DASHBOARD = json.loads((CHART / "files/dashboards/pipelines.json").read_text())
QUERIES = {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
    if "ray_pipeline_" in target["expr"]
}
SELECTED = re.compile(r"by \(([^)]*)\)\s*\((?:rate\()?(ray_pipeline_\w+)\{([^}]*)\}")


def series() -> dict[str, set[str]]:
    """Name as exported -> labels, out of the source: Ray is not in these tests' environment."""
    found: dict[str, set[str]] = {}
    for call in ast.walk(ast.parse(inspect.getsource(measures))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in SUFFIXES:
            name = ast.literal_eval(call.args[0])
            tags = next((ast.literal_eval(each.value) for each in call.keywords if each.arg == "tag_keys"), ())
            for suffix in SUFFIXES[call.func.attr]:
                le = {"le"} if suffix == "_bucket" else set()
                found[f"ray_{name}{suffix}"] = {*tags, *le, *OF_RAY, *OF_PROMETHEUS}
    return found


@pytest.mark.parametrize("where", QUERIES)
def test_series_and_labels_are_those_of_the_parts(where: str) -> None:
    query, known = QUERIES[where], series()
    selected = SELECTED.findall(query)
    assert len(selected) == query.count("ray_pipeline_")
    for grouped, name, selector in selected:
        assert name in known
        labels = {*re.split(r",\s*", grouped), *re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector)}
        assert labels <= known[name]


def test_every_measure_has_a_panel() -> None:
    shown = " ".join(QUERIES.values())
    assert [
        name for name in series() if name.endswith(("_total", "_count")) and name.rsplit("_", 1)[0] not in shown
    ] == []
