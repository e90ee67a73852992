"""Fields that the API server fills in where the chart says nothing, in lists of custom resources; Argo CD ignores them.

Argo CD knows the defaults of Kubernetes' own kinds. Of a custom resource that is applied by the server it may compare a
list as a whole, so that a default in one (a port's `protocol`) is a difference for ever; outside of lists it leaves
alone what no manifest states.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.golden.rendering import VALUES, golden

HEAD = """\
# What Argo CD is to ignore, for the Applications' spec: fields in lists that the API server fills in. Generated
# from the CRDs and from what the chart renders: python -m tests.argocd > deploy/argocd/ignore-differences.yaml
# Not needed with the annotation argocd.argoproj.io/compare-options: ServerSideDiff=true, as in application-set.yaml.
"""
CRDS = (
    "kuberay-rules/ray.io_rayservices.yaml",
    *(f"crds/crds/{name}.yaml" for name in ("karpenter.sh_nodepools", "karpenter.k8s.aws_ec2nodeclasses")),
    "crds/crds/gateway.networking.k8s.io_httproutes.yaml",
    *(
        f"prometheus-operator/crds/monitoring.coreos.com_{name}.yaml"
        for name in ("podmonitors", "servicemonitors", "prometheusrules")
    ),
)
Json = Any


_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def crds() -> Iterator[Json]:
    """The CRDs of what the chart renders, as the built tools have them."""
    tools = Path(os.environ["RAY_VLLM_STACK_CACHE"]) / "tools"
    for file in CRDS:
        text = (tools / file).read_text().replace("- =\n", "- '='\n")  # which YAML 1.1 takes for more than text
        yield yaml.load(text, Loader=_Loader)  # noqa: S506 (it is a safe one)


def schemas(documents: Iterable[Json]) -> dict[tuple[str, str], Json]:
    """API version and kind -> schema."""
    return {
        (f"{crd['spec']['group']}/{version['name']}", crd["spec"]["names"]["kind"]): version["schema"][
            "openAPIV3Schema"
        ]
        for crd in documents
        for version in crd["spec"]["versions"]
    }


def filled(schema: Json, value: Json, path: str = "", *, listed: bool = False) -> set[str]:
    """Paths, as jq writes them, of defaults in lists that a value leaves to the API server."""
    if isinstance(value, list):
        return {found for each in value for found in filled(schema.get("items") or {}, each, f"{path}[]?", listed=True)}
    if not isinstance(value, dict):
        return set()
    known, found = schema.get("properties") or {}, set()
    for name, below in known.items():
        if name in value:
            found |= filled(below, value[name], f"{path}.{name}", listed=listed)
        elif listed and "default" in below:
            found.add(f"{path}.{name}")
    if isinstance(schema.get("additionalProperties"), dict):
        for name in value.keys() - known.keys():
            found |= filled(schema["additionalProperties"], value[name], f'{path}["{name}"]', listed=listed)
    return found


def differences() -> list[Json]:
    """Entries of `ignoreDifferences` for everything that the values files render."""
    known, found = schemas(crds()), dict[tuple[str, str], set[str]]()
    for values in VALUES:
        for each in yaml.load_all(golden(values).read_text(), Loader=_Loader):
            if each and (schema := known.get((each["apiVersion"], each["kind"]))):
                group = each["apiVersion"].partition("/")[0]
                found.setdefault((group, each["kind"]), set()).update(filled(schema, each))
    return [
        {"group": group, "kind": kind, "jqPathExpressions": sorted(paths)}
        for (group, kind), paths in sorted(found.items())
        if paths
    ]


def written() -> str:
    """The file."""
    return HEAD + yaml.safe_dump({"ignoreDifferences": differences()}, sort_keys=False, width=160)
