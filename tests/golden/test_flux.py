"""The HelmRelease of deploy/flux against the CRD of Flux's helm-controller: an unknown field is refused."""

import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.golden.rendering import CHART, ROOT

RELEASE = ROOT / "deploy/flux/helm-release.yaml"


def closed(schema: Any) -> Any:
    """The schema, with fields refused that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if isinstance(found.get("properties"), dict) and not found.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    return found


@pytest.fixture(scope="module")
def spec() -> Any:
    crds = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "tools/crds/crds"
    crd = yaml.safe_load((crds / "helm.toolkit.fluxcd.io_helmreleases.yaml").read_text())
    (version,) = [each for each in crd["spec"]["versions"] if each["name"] == "v2"]
    return closed(version["schema"]["openAPIV3Schema"]["properties"]["spec"])


@pytest.fixture
def release() -> Any:
    _, found = yaml.safe_load_all(RELEASE.read_text())
    return found


def test_flux_takes_it(spec: Any, release: Any) -> None:
    assert (release["apiVersion"], release["kind"]) == ("helm.toolkit.fluxcd.io/v2", "HelmRelease")
    jsonschema.validate(release["spec"], spec)


@pytest.mark.parametrize("edit", [{"driftDetection": {"mode": "on"}}, {"upgrade": {"remedation": {}}}])
def test_flux_would_refuse_what_it_does_not_know(spec: Any, release: Any, edit: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(release["spec"] | edit, spec)


def test_it_follows_drift_and_tries_no_stopped_upgrade_again(release: Any) -> None:
    assert release["spec"]["driftDetection"]["mode"] == "enabled"
    assert release["spec"]["upgrade"]["remediation"]["retries"] == 0


def test_it_takes_this_chart() -> None:
    source, release = yaml.safe_load_all(RELEASE.read_text())
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert source["spec"]["url"].endswith(f"/{chart['name']}")
    assert source["spec"]["ref"]["tag"] == chart["version"]
    assert release["spec"]["chartRef"] == {"kind": "OCIRepository", "name": source["metadata"]["name"]}
