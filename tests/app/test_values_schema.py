"""values.schema.json: it is up to date, takes values.yaml, documents every key, and is closed wherever it can be."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from serve_app.settings.comments import comments
from serve_app.settings.engine import OWNED, arguments
from serve_app.settings.entries import entries
from serve_app.settings.schema import REPRESENTATIVES, values_schema

CHART = Path(__file__).parents[2] / "charts" / "ray-vllm-stack"
VALUES = CHART / "values.yaml"

# Open on purpose: Kubernetes' own structures, checked by the API server, and the operator's own values.
RAW = {
    "global",
    "kuberay-operator",
    "extraObjects.*",
    "gateway.autoscaling.spec",
    "gateway.ingress.spec",
    "gateway.service.spec",
    "gateway.httpRoute.spec",
    "gateway.httpRoute.gke.backendPolicy.spec",
    "gateway.httpRoute.gke.healthCheckPolicy.spec",
    "gateway.httpRoute.parentRefs[]",
    "models.*.spec",
    "clusters.*.spec",
    "clusterDefaults.spec",
    "capacity.nodeClass.spec",
    "capacity.nodePools.*.spec",
    "capacity.nodePoolDefaults.spec",
    "capacity.nodePools.*.nodeClass.spec",
    "capacity.nodePoolDefaults.nodeClass.spec",
    "jobs.*.spec",
    "jobs.*.sampling",
    "jobDefaults.spec",
    "jobDefaults.sampling",
    *(f"networkPolicy.operator[].{key}" for key in ("podSelector", "namespaceSelector", "ipBlock")),
    *(f"metrics.{kind}Monitor.{key}[]" for kind in ("service", "pod") for key in ("relabelings", "metricRelabelings")),
    "networkPolicy.clients[].podSelector",
    "networkPolicy.clients[].namespaceSelector",
    "networkPolicy.clients[].ipBlock",
    "networkPolicy.monitoring[].podSelector",
    "networkPolicy.monitoring[].namespaceSelector",
    "networkPolicy.monitoring[].ipBlock",
    "clusterDefaults.networkPolicy.egress[].to[].podSelector",
    "clusters.*.networkPolicy.egress[].to[].podSelector",
    "networkPolicy.gatewayEgress[].to[].podSelector",
    "clusterDefaults.networkPolicy.egress[].to[].namespaceSelector",
    "clusters.*.networkPolicy.egress[].to[].namespaceSelector",
    "networkPolicy.gatewayEgress[].to[].namespaceSelector",
    "clusterDefaults.networkPolicy.egress[].to[].ipBlock",
    "clusters.*.networkPolicy.egress[].to[].ipBlock",
    "networkPolicy.gatewayEgress[].to[].ipBlock",
    "clusterDefaults.networkPolicy.egress[].ports[]",
    "clusters.*.networkPolicy.egress[].ports[]",
    "networkPolicy.gatewayEgress[].ports[]",
}
PODS = (
    "gateway.pod",
    "redis.pod",
    "safeChange.pod",
    "data.pod",
    "madeSecrets.pod",
    "uninstall.pod",
    "smokeTest.pod",
    "clusterDefaults.head.pod",
    "clusters.*.head.pod",
    "acceleratorDefaults.pod",
    "accelerators.*.pod",
    "clusterDefaults.workerGroups.*.pod",
    "clusters.*.workerGroups.*.pod",
    "modelDefaults.standalone.pod",
    "models.*.standalone.pod",
    "jobDefaults.workers.pod",
    "jobs.*.workers.pod",
    "capacity.prePull.pod",
)
RAW_OF_PODS = (
    "affinity",
    "securityContext",
    "containerSecurityContext",
    "spec",
    "env.*.valueFrom",
    "topologySpreadConstraints[]",
)
RAW |= {f"{pod}.{key}" for pod in (*PODS, "podDefaults") for key in RAW_OF_PODS}
RAW |= {f"{model}.standalone.{key}" for model in ("modelDefaults", "models.*") for key in ("spec", "autoscaling.spec")}
RAW |= {f"{place}.env.*.valueFrom" for place in ("clusterDefaults", "clusters.*", "modelDefaults", "models.*")}
RAW |= {
    f"{place}.upgradeStrategy.incremental.peers[].{key}"
    for place in ("clusterDefaults", "clusters.*")
    for key in ("podSelector", "namespaceSelector", "ipBlock")
}
RAW_OF_PIPELINES = ("args", "filters", "spec", "tools.http.*.parameters")
RAW |= {f"{place}.{key}" for place in ("pipelineDefaults", "pipelines.*") for key in RAW_OF_PIPELINES}
# Kubernetes' own structures, and what the comment of the map around it describes.
DESCRIBED_ABOVE = (
    ".roles.",
    ".parts.",
    ".requests",
    ".limits",
    ".claims",
    "tolerations[]",
    "clients[]",
    "monitoring[]",
    "operator[]",
    "egress[]",
    "gatewayEgress[]",
    "peers[]",
    "nodePoolDefaults.nodeClass.",
    "nodePools.*.nodeClass.",
)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return values_schema(VALUES)


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every place of the values with its schema; the entries of a map are `*`, those of a list `[]`."""
    yield path, schema
    for key, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{key}".removeprefix("."))
    for entry in (*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")):
        if isinstance(entry, dict) and "const" not in entry:
            yield from nodes(entry, f"{path}.*".removeprefix("."))
    if isinstance(schema.get("items"), dict):
        yield from nodes(schema["items"], f"{path}[]")


def as_helm_has_them(values: Any) -> Any:
    """Helm drops a key whose default is null before it validates."""
    if isinstance(values, dict):
        return {key: as_helm_has_them(value) for key, value in values.items() if value is not None}
    return values


def test_file_is_up_to_date(schema: dict[str, Any]) -> None:
    assert json.loads((CHART / "values.schema.json").read_text()) == schema, "run `make generate`"


def test_values_md_has_the_entries_of_maps(schema: dict[str, Any]) -> None:
    table = entries(schema)
    assert "| routes.*.backends.*.weight | integer | " in table
    assert (CHART / "VALUES.md").read_text().endswith(f"{table}\n"), "run `make generate`"


def test_is_a_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    references = {node["$ref"] for _, node in nodes(schema) if "$ref" in node}
    assert references == {"#/$defs/engineArguments"}


def test_takes_the_defaults(schema: dict[str, Any]) -> None:
    values = as_helm_has_them(yaml.safe_load(VALUES.read_text()))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(values)] == []


def test_every_default_is_required(schema: dict[str, Any]) -> None:
    """A key with a default can only be missing because somebody deleted it, and the templates rely on it."""
    values = as_helm_has_them(yaml.safe_load(VALUES.read_text()))
    entries = ("models.", "routes.", "clusters.", "accelerators.", "capacity.nodePools.")
    for path, node in nodes(schema):
        here: Any = values
        for key in filter(None, path.split(".")):
            here = here.get(key, {}) if isinstance(here, dict) else {}
        if "properties" in node and isinstance(here, dict) and not path.startswith(entries):
            deletable = {key for key, child in node["properties"].items() if "null" in child.get("type", [])}
            expected = (set(here) & set(node["properties"])) - deletable
            assert expected <= set(node.get("required", [])), path


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    for path, node in nodes(schema):
        group = set(node) >= {"properties"} and "description" not in node
        entry = path.endswith((".*", "[]")) or path in ("", "global")
        above = any(mark in path for mark in DESCRIBED_ABOVE)
        assert group or entry or above or node.get("description"), f"{path}: no `# --` comment in values.yaml"


def test_every_comment_is_of_a_key(schema: dict[str, Any]) -> None:
    known = {path for path, _ in nodes(schema)}
    for keys in comments(VALUES):
        path = ".".join(keys)
        assert path in known or path.startswith("kuberay-operator."), f"{path} is documented, but not in the schema"


def test_representatives_have_the_keys_of_the_entries(schema: dict[str, Any]) -> None:
    places = dict(nodes(schema))
    for entry, stand_in in REPRESENTATIVES.items():
        assert set(places[".".join(entry)]["properties"]) == set(places[".".join(stand_in)]["properties"])


def test_closed(schema: dict[str, Any]) -> None:
    opened = {
        path
        for path, node in nodes(schema)
        if "object" in node.get("type", []) and node.get("additionalProperties", True) is True
    }
    assert opened <= RAW, "close it, or name it above"
    assert schema["$defs"]["engineArguments"]["additionalProperties"] is False


def test_engine_takes_what_vllm_has(schema: dict[str, Any]) -> None:
    properties = schema["$defs"]["engineArguments"]["properties"]
    assert set(properties) == set(arguments()) | set(OWNED)
    assert properties["max_model_len"]["type"] == ["integer", "null"]
    assert properties["tensor_parallel_size"] == {"const": "left out (set parallelism.tensor)"}


def test_comments(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(
        "# A heading.\n# -- First,\n# and on.\na: 1\n# plain\nb:\n  # -- Inner.\n  c: {d: 1}\n\n# -- Lost.\n\ne: 1\n",
        "utf-8",
    )
    assert comments(file) == {("a",): "First, and on.", ("b", "c"): "Inner."}
