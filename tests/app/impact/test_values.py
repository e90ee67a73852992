"""Random pairs of values: the verdict never says less than KubeRay's own hash and Serve's own version rules."""

import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serve_app.impact import manifests, ray_service, verdict
from serve_app.impact.effects import Effect
from serve_app.impact.manifests import Key, Object
from tests.app.impact.conftest import Ask

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "ray-vllm-stack"
DEMO = yaml.safe_load((ROOT / "values" / "cpu-demo.yaml").read_text()) | {
    "kuberay-operator": {"enabled": False},
    "accelerators": {"spare": {"order": 99, "platform": "cpu"}},
    "clusters": {"other": {}},
}
EDITS: list[tuple[str, list[Any]]] = [
    ("models.sparrow.engine.max_num_seqs", [2, 3]),
    ("models.sparrow.env.A", ["b", "c"]),
    ("models.sparrow.replicas.max", [2, 3]),
    ("models.sparrow.replicas.policy", ["ongoing-requests", "waiting-requests"]),
    ("models.sparrow.rollout.maxSurgePercent", [0, 50]),
    ("models.sparrow.source", ["hf://a/b", "hf://a/c"]),
    ("models.sparrow.acceleratorShare", [1]),
    ("models.sparrow.runtime", ["ray", "standalone"]),
    ("models.wren", [{"source": "hf://a/b", "accelerator": "cpu"}, {"source": "hf://a/b", "accelerator": "spare"}]),
    ("models.robin", [{"source": "hf://a/b", "accelerator": "l4", "cluster": "other"}]),
    ("accelerators.spare", [{"order": 5, "platform": "cpu"}, {"order": 99, "platform": "cpu"}]),
    ("clusters.main.workerGroups", [{"cpu": {"accelerator": "cpu"}, "big": {"accelerator": "cpu", "order": 99}}]),
    ("clusters.other", [{}, {"env": {"A": "b"}}]),
    ("clusters.main.env.A", ["b", "c"]),
    ("clusters.main.drainSeconds", [60, 90]),
    ("clusterDefaults.head.resources.requests.memory", ["4Gi", "4096Mi", "5Gi"]),
    ("clusterDefaults.image.tag", ["a", "b"]),
    ("accelerators.cpu.maxWorkers", [3, 4]),
    ("accelerators.cpu.tolerations", [[{"key": "a", "operator": "Exists"}]]),
    ("podDefaults.labels.a", ["b", "c"]),
    ("gateway.replicas", [2, 3]),
    ("commonLabels.a", ["b"]),
]
EDIT = st.sampled_from(EDITS).flatmap(lambda edit: st.tuples(st.just(edit[0]), st.sampled_from(edit[1])))
CODE = ("import_path", "runtime_env", "args", "autoscaling_policy")


def rendered(edits: list[tuple[str, Any]]) -> dict[Key, Object] | None:
    """What the demo renders with these edits; None where the chart refuses them."""
    values = deepcopy(DEMO)
    for path, content in edits:
        *parents, last = path.split(".")
        at = values
        for parent in parents:
            at = at.setdefault(parent, {})
        at[last] = deepcopy(content)
    command = ["helm", "template", "demo", str(CHART), "--namespace", "llm", "--values", "-"]
    done = subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "ERROR: " in done.stderr or "schema" in done.stderr, done.stderr
    return manifests.load(done.stdout) if done.returncode == 0 else None


def code(application: Object) -> list[Any]:
    """What of an application Serve's code version is made of, so far as the chart renders it."""
    policies = [each.get("autoscaling_config", {}).get("policy") for each in application["deployments"]]
    return [*(application.get(key) for key in CODE), policies]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.lists(EDIT, max_size=3), st.lists(EDIT, min_size=1, max_size=3))
def test_it_never_says_less(kuberay: Ask, before: list[tuple[str, Any]], after: list[tuple[str, Any]]) -> None:
    old, new = rendered(before), rendered([*before, *after])
    if old is None or new is None:
        return
    found = verdict.compare(old, new)
    worst: dict[str, Effect] = {}
    for each in found.findings:
        worst[each.subject] = max(worst.get(each.subject, Effect.UNTOUCHED), each.effect)
    for key in (key for key in {*old, *new} if key[0] == "RayService.ray.io"):
        models = [ray_service.models(each.get(key)) for each in (old, new)]
        if key in old and key in new:
            answer = kuberay(old[key], new[key])
            if answer["build"] and not answer["update"]:
                assert worst[f"cluster {ray_service.cluster_name(new[key])}"] >= Effect.NEW_CLUSTER
        for name in models[0].keys() & models[1].keys():
            if not manifests.same(code(models[0][name]), code(models[1][name])):
                assert worst[f"model {name}"] >= Effect.ROLLS
        for name in models[0].keys() - models[1].keys():
            assert worst[f"model {name}"] >= Effect.REMOVED
    for key in (key for key in old.keys() & new.keys() if key[0] == "Deployment.apps"):
        if not manifests.same(*(each[key]["spec"]["template"] for each in (old, new))):
            assert max(each.effect for each in found.findings if each.source == manifests.shown(key)) >= Effect.ROLLS
