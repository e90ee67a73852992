"""What the files of values/ promise of their platforms: OpenShift's user ids, one registry, charts around this one."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden.rendering import CHART, ROOT, VALUES, golden, render

UMBRELLA = ROOT / "values" / "umbrella"


def pods(rendered: str) -> Iterator[dict[str, Any]]:
    """The spec of every pod that an object makes, the operator's too."""
    for each in yaml.safe_load_all(rendered):
        spec = each["spec"] if each["kind"] in ("Deployment", "Job", "Pod", "RayService") else {}
        if cluster := spec.get("rayClusterConfig"):
            groups = (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])
            yield from (group["template"]["spec"] for group in groups)
        elif spec:
            yield spec if each["kind"] == "Pod" else spec["template"]["spec"]


def test_openshift_chooses_the_users() -> None:
    rendered = render(ROOT / "values" / "openshift.yaml", "--set", "kuberay-operator.enabled=true")
    assert re.findall("runAsUser|runAsGroup|fsGroup", rendered) == []
    policies = [each for each in yaml.safe_load_all(rendered) if each["kind"] == "NetworkPolicy"]
    egress = [each["spec"]["egress"][0] for each in policies if each["spec"].get("egress")]
    assert len(egress) == 4  # gateway, Ray, the guard of upgrades, the Job that makes Secrets
    for rule in egress:
        assert {(port["port"], port["protocol"]) for port in rule["ports"]} == {
            (port, protocol) for port in (53, 5353) for protocol in ("UDP", "TCP")
        }


def test_an_air_gapped_site_pulls_from_one_registry() -> None:
    rendered = render(ROOT / "values" / "air-gapped.yaml", "--set", "kuberay-operator.enabled=true")
    images = [container["image"] for pod in pods(rendered) for container in pod["containers"]]
    assert len(images) > 5
    assert {image.partition("/")[0] for image in images} == {"registry.example.internal:5000"}
    assert [pod["imagePullSecrets"] for pod in pods(rendered)] == [[{"name": "registry"}]] * len(images)


@pytest.fixture(scope="module")
def umbrella(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of values/, with this chart where `--dependency-update` puts it."""
    chart = tmp_path_factory.mktemp("umbrella") / "chart"
    shutil.copytree(UMBRELLA, chart)
    shutil.copytree(CHART, chart / "charts" / CHART.name)
    return chart


def test_the_umbrella_names_this_chart() -> None:
    (dependency,) = yaml.safe_load((UMBRELLA / "Chart.yaml").read_text())["dependencies"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (dependency["name"], dependency["version"]) == (chart["name"], chart["version"])
    assert (UMBRELLA / dependency["repository"].removeprefix("file://")).resolve() == CHART


def test_the_umbrellas_values_reach_every_pod(umbrella: Path) -> None:
    command = ["helm", "template", "platform", str(umbrella), "--namespace", "llm"]
    rendered = subprocess.check_output(command, text=True)
    found = list(pods(rendered))
    assert len(found) == 7  # gateway, operator, head, worker, and three hooks
    keys = [each["data"] for each in yaml.safe_load_all(rendered) if each["kind"] == "Secret"]
    assert [list(data) for data in keys] == [["app"]]  # a hash, and no key that the chart makes
    assert all(pod["imagePullSecrets"] == [{"name": "registry"}] for pod in found)


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_within_an_umbrella_it_renders_the_same(values: Path, umbrella: Path, tmp_path: Path) -> None:
    given = yaml.safe_load(values.read_text())
    nested = tmp_path / "values.yaml"
    nested.write_text(yaml.safe_dump({"global": given.pop("global", {}), CHART.name: given}))
    bare = tmp_path / "chart"
    shutil.copytree(umbrella, bare)
    (bare / "values.yaml").unlink()
    off = f"{CHART.name}.kuberay-operator.enabled=false"
    rendered = render(nested, "--set", off, chart=bare)
    rendered = rendered.replace(f"# Source: platform/charts/{CHART.name}/", f"# Source: {CHART.name}/")
    assert rendered == golden(values).read_text()
