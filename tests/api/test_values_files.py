"""Level 4: every values file, strictly validated by a real API server with the real CRDs, and read back as sent."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kube import helm, kubectl
from tests.cluster.stack import CHART, ROOT, make_namespace

FILES = sorted((ROOT / "values").glob("*.yaml"))
NAMESPACE = "values-files"
TOOLS = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "tools"


@pytest.fixture(scope="module", autouse=True)
def namespace() -> Iterator[None]:
    """CRDs of KubeRay, Karpenter, the Gateway API and Prometheus' operator; a namespace that enforces `restricted`."""
    for crds in ("kuberay-operator/config/crd/bases", "crds/crds", "prometheus-operator/crds"):
        kubectl("apply", "--server-side", "--force-conflicts", "-f", str(TOOLS / crds))
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    make_namespace(NAMESPACE)
    yield
    kubectl("delete", "namespace", NAMESPACE)


def lost(sent: Any, stored: Any, path: str) -> list[str]:
    """Paths of `sent` that `stored` lacks or holds otherwise; defaults that the server adds are fine."""
    if isinstance(sent, dict) and isinstance(stored, dict):
        # Secrets: stringData is stored as data. An empty or null field may be dropped.
        keys = [key for key in sent if key != "stringData" and sent[key] not in (None, {}, [], "")]
        return [place for key in keys for place in lost(sent[key], stored.get(key), f"{path}.{key}")]
    if isinstance(sent, list) and isinstance(stored, list) and len(sent) == len(stored):
        return [
            place
            for index, pair in enumerate(zip(sent, stored, strict=True))
            for place in lost(*pair, f"{path}[{index}]")
        ]
    return [] if sent == stored or _same_quantity(sent, stored) else [f"{path}: sent {sent!r}, stored {stored!r}"]


def _same_quantity(sent: Any, stored: Any) -> bool:
    """Whether a number came back as the same number in another spelling (`4` and `"4"`)."""
    return isinstance(sent, int | float | str) and isinstance(stored, int | float | str) and str(sent) == str(stored)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_is_accepted_strictly_and_read_back(file: Path) -> None:
    rendered = helm(
        "template",
        "demo",
        str(CHART),
        "-n",
        NAMESPACE,
        "-f",
        str(file),
        "--set",
        "kuberay-operator.enabled=false",
        "--no-hooks",
    )
    objects = [document for document in yaml.safe_load_all(rendered) if document]
    assert {"RayService", "Deployment"} <= {document["kind"] for document in objects}
    manifest = yaml.safe_dump_all(objects)
    answer = kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-", input=manifest
    )
    stored = {(item["kind"], item["metadata"]["name"]): item for item in json.loads(answer).get("items", [])}
    assert set(stored) == {(document["kind"], document["metadata"]["name"]) for document in objects}
    for document in objects:
        assert lost(document, stored[document["kind"], document["metadata"]["name"]], document["kind"]) == []


def test_an_unknown_field_is_refused() -> None:
    manifest = json.dumps(
        {
            "apiVersion": "ray.io/v1",
            "kind": "RayService",
            "metadata": {"name": "x", "namespace": NAMESPACE},
            "spec": {"replica": 1},
        }
    )
    with pytest.raises(RuntimeError, match=r"field not declared in schema|unknown field"):
        kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", input=manifest)
