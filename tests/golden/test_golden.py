"""What the files of values/ render is what tests/golden holds, whatever Helm renders it; and what must never change."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden.rendering import CHART, ROOT, VALUES, golden, render

each_values_file = pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)


def objects(rendered: str, kind: str) -> dict[str, Any]:
    """The objects of a kind, by name."""
    return {each["metadata"]["name"]: each for each in yaml.safe_load_all(rendered) if each["kind"] == kind}


@each_values_file
def test_rendered_as_reviewed(values: Path) -> None:
    """Byte for byte, Secrets too: a render without a cluster is the same on every day and machine."""
    assert render(values) == golden(values).read_text(), "if the change is meant: make generate"


def test_no_golden_file_is_stale() -> None:
    assert sorted(path.name for path in Path(__file__).parent.glob("*.yaml")) == [path.name for path in VALUES]


@each_values_file
def test_helm_3_renders_the_same(values: Path) -> None:
    assert render(values, helm="helm3") == golden(values).read_text()


@each_values_file
def test_file_says_for_whom_it_is(values: Path) -> None:
    head, _, _ = values.read_text().partition("\n\n")
    for begin in ("# For whom:  ", "# It needs:  ", "# Command:   helm install "):
        assert any(line.startswith(begin) for line in head.splitlines()), begin
    command = head.partition("# Command:")[2].replace("\\\n#", "").splitlines()[0].split()
    assert command[3] == str(CHART.relative_to(ROOT))
    assert command[command.index("--values") + 1] == str(values.relative_to(ROOT))
    assert "--dependency-update" in command, "a fresh clone has no dependency"


def released(folder: Path, moved: str = "stack") -> Path:
    """The chart as a release would bump it: its version, its appVersion, and serve_app with it."""
    chart = folder / "chart"
    shutil.copytree(CHART, chart)
    for name, pattern in (("Chart.yaml", "version|appVersion"), ("files/versions.yaml", moved)):
        file = chart / name
        file.write_text(re.sub(rf"(?m)^({pattern}): [0-9.]+", r"\1: 9.9.9", file.read_text()))
    return chart


@each_values_file
def test_a_release_changes_no_pod(values: Path, tmp_path: Path) -> None:
    """An upgrade to the next release with equal values rebuilds no Ray cluster and restarts no pod."""
    bumped = render(values, chart=released(tmp_path))
    assert "ray-vllm-stack-9.9.9" in bumped
    assert "app.kubernetes.io/version: 9.9.9" in bumped
    for kind in ("RayService", "Deployment", "NodePool", "EC2NodeClass"):
        before, after = objects(golden(values).read_text(), kind), objects(bumped, kind)
        assert list(before) == list(after)
        assert [each["spec"] for each in before.values()] == [each["spec"] for each in after.values()]


@each_values_file
def test_a_release_with_a_new_gateway_changes_no_ray_cluster(values: Path, tmp_path: Path) -> None:
    """Byte for byte: KubeRay hashes what it is given, and another hash is another cluster."""
    bumped = render(values, chart=released(tmp_path, "stack|gatewayImage"))
    assert "/gateway:9.9.9" in bumped
    pattern = r"(?m)^  rayClusterConfig:\n(?:    .*\n)+"
    before = re.findall(pattern, golden(values).read_text())
    assert len(before) == len(objects(bumped, "RayService"))
    assert re.findall(pattern, bumped) == before


@each_values_file
def test_ray_services_are_text_for_text_the_same_at_every_render(values: Path) -> None:
    assert objects(render(values), "RayService") == objects(render(values, "--is-upgrade"), "RayService")


@each_values_file
def test_pods_are_restricted(values: Path) -> None:
    """Each container of ours: no root, no writable root file system, no capability."""
    rendered = render(values)
    templated = [*objects(rendered, "Deployment").values(), *objects(rendered, "Job").values()]
    specs = [each["spec"]["template"]["spec"] for each in templated]
    specs += [each["spec"] for each in objects(rendered, "Pod").values()]
    for service in objects(rendered, "RayService").values():
        cluster = service["spec"]["rayClusterConfig"]
        specs += [group["template"]["spec"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]
        specs.append({"containers": [cluster["autoscalerOptions"]], "securityContext": specs[-1]["securityContext"]})
    for spec in specs:
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_one_edit_changes_one_application() -> None:
    """The blast radius: an edit of a model leaves the clusters and the other applications byte for byte."""
    demo = next(values for values in VALUES if values.stem == "cpu-demo")
    edited = render(demo, "--set", "models.sparrow.engine.max_model_len=1024,models.sparrow.replicas.max=2")
    (before,) = objects(golden(demo).read_text(), "RayService").values()
    (after,) = objects(edited, "RayService").values()
    assert before["spec"]["rayClusterConfig"] == after["spec"]["rayClusterConfig"]
    old, new = (yaml.safe_load(each["spec"]["serveConfigV2"])["applications"] for each in (before, after))
    assert [application["name"] for application in old] == ["owl", "smollm2", "sparrow"]
    assert [before["name"] for before, after in zip(old, new, strict=True) if before != after] == ["sparrow"]


def test_artifact_hub_knows_the_images() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    named = {each["image"] for each in yaml.safe_load(chart["annotations"]["artifacthub.io/images"])}
    rendered = {image for values in VALUES for image in re.findall(r"image: (\S+)", golden(values).read_text())}
    assert {image for image in rendered if image.startswith(("ghcr.io/ray-vllm-stack/", "docker.io/valkey/"))} == named
    assert (ROOT / chart["icon"].partition("/main/")[2]).is_file()


def test_lock_is_of_the_dependency() -> None:
    """What `helm dependency build` compares; like Helm's, the digest is over what is asked for and what was found."""
    chart, lock = (yaml.safe_load((CHART / f"Chart.{end}").read_text()) for end in ("yaml", "lock"))
    found = [{key: each[key] for key in ("name", "version", "repository")} for each in lock["dependencies"]]
    asked = [
        {key: each[key] for key in ("name", "version", "repository", "condition")} for each in chart["dependencies"]
    ]
    digest = hashlib.sha256(json.dumps([asked, found], separators=(",", ":")).encode()).hexdigest()
    assert lock["digest"] == f"sha256:{digest}", "helm dependency update charts/ray-vllm-stack"


def test_chart_testing_installs_the_demo() -> None:
    demo, ci = ROOT / "values" / "cpu-demo.yaml", CHART / "ci" / "default-values.yaml"
    assert yaml.safe_load(ci.read_text()) == yaml.safe_load(demo.read_text())
