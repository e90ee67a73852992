"""A real Prometheus scrapes what the monitors select; every panel shows something, every alert has its metrics."""

import json
import math
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.kube import wait_until
from tests.cluster.load import Load
from tests.cluster.prometheus import Prometheus, running
from tests.cluster.stack import CHART, ROOT, Stack

DASHBOARD = json.loads((CHART / "files/dashboards/ray-vllm-stack.json").read_text())
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"] if panel["type"] != "row"}
GATEWAY_DASHBOARD = json.loads((CHART / "files/dashboards/gateway.json").read_text())
MODELS = {"sparrow", "owl"}
# Alert -> the commands that its section of the runbook begins with.
RUNBOOK = dict(
    re.findall(r"^## (\w+)$.*?```sh\n(.*?)```", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE | re.DOTALL)
)
STANDALONE = "StandaloneModelDown"
"""Its commands want a standalone model: tests/campaign/test_standalone.py has one."""
# Empty on a machine without GPUs.
NEED_A_GPU = {"GPU utilization", "GPU memory use"}
QUERIES: list[tuple[str, str]] = [
    (title, target["expr"]) for title, panel in PANELS.items() if title not in NEED_A_GPU for target in panel["targets"]
]
# A wait in a queue that nobody had to stand in is no number, and a batch has its lines only while it runs.
UNUSED = {"Wait in the queue", "Lines of running batches"}
GATEWAY_QUERIES: list[tuple[str, str]] = [
    (panel["title"], target["expr"])
    for panel in GATEWAY_DASHBOARD["panels"]
    if panel["type"] != "row" and panel["title"] not in UNUSED
    for target in panel["targets"]
]


def filled(expression: str, stack: Stack) -> str:
    """A query with the dashboard's variables at what Grafana puts in: everything of this namespace."""
    everything = dict.fromkeys(("$cluster", "$model", "$route", "$team"), ".*")
    for name, value in (everything | {"$namespace": stack.namespace, "$__rate_interval": "1m"}).items():
        expression = expression.replace(name, value)
    return expression


def metrics_of(expression: str) -> set[str]:
    """Names of metrics in a query: words in front of a selector."""
    return set(re.findall(r"([a-zA-Z_:][\w:]*)\{", expression))


@pytest.fixture(scope="module")
def prometheus(stack: Stack) -> Iterator[Prometheus]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def under_load(prometheus: Prometheus, stack: Stack) -> dict[str, list[dict[str, Any]]]:
    """Query -> its series, asked while clients stream from both models, until all are there or two minutes are over."""
    answers: dict[str, list[dict[str, Any]]] = {}

    def ask() -> bool:
        for _, query in (*QUERIES, *GATEWAY_QUERIES):
            answers[query] = prometheus.query(filled(query, stack))
        whole = all(models(answers[query]) in (set(), MODELS) for _, query in QUERIES)
        return whole and all(numbers(series) for series in answers.values())

    rates = {"sparrow": 1.0, "owl": 1.0, "canary": 1.0, "compared": 0.5}
    with Load("demo traffic", stack.url, stack.api_key, rates):
        deadline = time.monotonic() + 120
        while not ask() and time.monotonic() < deadline:
            time.sleep(2)
    return answers


def numbers(series: list[dict[str, Any]]) -> list[float]:
    """The values that are numbers: a quantile of nothing is NaN, which a panel leaves blank."""
    values = [float(one["value"][1]) for one in series]
    return [value for value in values if not math.isnan(value)]


def models(series: list[dict[str, Any]]) -> set[str]:
    """The models that the series are about, by whichever label; none where they are about all."""
    labels = str([one["metric"] for one in series])
    return {model for model in MODELS if model in labels}


def test_prometheus_scrapes_gateway_documents_heads_and_workers(prometheus: Prometheus, stack: Stack) -> None:
    gateway = f"serviceMonitor/{stack.namespace}/{stack.fullname}-gateway"
    data = f"serviceMonitor/{stack.namespace}/{stack.fullname}-data"
    ray = f"podMonitor/{stack.namespace}/{stack.fullname}-ray"
    heads = {pod["metadata"]["name"] for pod in stack.objects("pods", "ray.io/node-type=head")}
    workers = {pod["metadata"]["name"] for pod in stack.objects("pods", "ray.io/node-type=worker")}
    gateways = {pod["metadata"]["name"] for pod in stack.objects("pods", "app.kubernetes.io/component=gateway")}
    documents = {pod["metadata"]["name"] for pod in stack.objects("pods", "app.kubernetes.io/component=data")}
    expected = {
        (gateway, "metrics"): gateways,
        (data, "metrics"): documents,
        (ray, "metrics"): heads | workers,
        (ray, "as-metrics"): heads,
        (ray, "dash-metrics"): heads,
    }

    def scraped() -> dict[tuple[str, str], set[str]]:
        return {port: {t["pod"] for t in up if t["health"] == "up"} for port, up in prometheus.targets().items()}

    wait_until(f"Prometheus to scrape {expected}", 90, lambda: scraped() == expected)


def test_ray_series_say_service_cluster_and_node_type(prometheus: Prometheus, stack: Stack) -> None:
    targets = prometheus.targets()[f"podMonitor/{stack.namespace}/{stack.fullname}-ray", "metrics"]
    assert {target["ray_service"] for target in targets} == {f"{stack.fullname}-main"}
    assert {target["ray_io_node_type"] for target in targets} == {"head", "worker"}
    (cluster,) = {target["ray_io_cluster"] for target in targets}
    assert re.fullmatch(f"{stack.fullname}-main-[a-z0-9]{{5}}", cluster)


def test_only_panels_about_gpus_need_one() -> None:
    assert {title for title in PANELS if title.startswith("GPU")} == NEED_A_GPU


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[f"{title} {n}" for n, (title, _) in enumerate(QUERIES)])
def test_panel_shows_something(under_load: dict[str, list[dict[str, Any]]], title: str, query: str) -> None:
    assert numbers(under_load[query]), f"{title}: no data for {query}"
    assert models(under_load[query]) in (set(), MODELS), f"{title}: not for every model: {query}"


@pytest.mark.parametrize(
    ("title", "query"), GATEWAY_QUERIES, ids=[f"{title} {n}" for n, (title, _) in enumerate(GATEWAY_QUERIES)]
)
def test_panel_of_the_gateway_shows_something(
    under_load: dict[str, list[dict[str, Any]]], title: str, query: str
) -> None:
    assert numbers(under_load[query]), f"{title}: no data for {query}"


@pytest.mark.parametrize("title", sorted(NEED_A_GPU))
def test_gpu_panel_is_a_query_that_prometheus_reads(prometheus: Prometheus, stack: Stack, title: str) -> None:
    for target in PANELS[title]["targets"]:
        assert prometheus.query(filled(target["expr"], stack)) == []


def test_variables_offer_what_is_there(prometheus: Prometheus, stack: Stack) -> None:
    offered = {}
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            match = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert match
            values = prometheus.get(f"label/{match[2]}/values", **{"match[]": filled(match[1], stack)})
            offered[variable["name"]] = set(values)
    assert offered["namespace"] >= {stack.namespace}
    assert offered["cluster"] == {f"{stack.fullname}-main"}
    assert offered["model"] == MODELS


@pytest.mark.usefixtures("under_load")
def test_every_alert_is_evaluated_and_has_its_metrics(prometheus: Prometheus, stack: Stack) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in prometheus.get("rules", type="alert")["groups"] for rule in group["rules"]]

    (resource,) = stack.objects("prometheusrules.monitoring.coreos.com")
    rendered = {rule["alert"] for group in resource["spec"]["groups"] for rule in group["rules"] if "alert" in rule}
    assert {rule["name"] for rule in rules()} == rendered
    wait_until("Prometheus to evaluate the alerts", 30, lambda: {rule["health"] for rule in rules()} == {"ok"})
    known = prometheus.metrics() | {
        "kube_pod_status_unschedulable"
    }  # of kube-state-metrics, which this cluster has not
    for rule in rules():
        assert metrics_of(rule["query"])
        assert metrics_of(rule["query"]) <= known, rule["name"]


@pytest.mark.usefixtures("under_load")
def test_nothing_is_wrong_with_a_release_that_is_well(prometheus: Prometheus) -> None:
    assert [alert for alert in prometheus.get("alerts")["alerts"] if alert["state"] == "firing"] == []


@pytest.mark.usefixtures("under_load")
def test_idle_models_show_zero_instead_of_nothing(prometheus: Prometheus, stack: Stack) -> None:
    """Idle vLLM gauges vanish from the scrape after 20 seconds; a failed scrape of the pod hides them too."""
    idle = filled("ray_vllm_kv_cache_usage_perc{namespace='$namespace'}", stack)
    (target,) = PANELS["KV cache use"]["targets"]

    def zero_without_gauges() -> bool:
        series = prometheus.query(filled(target["expr"], stack))
        shown = {one["metric"]["model_name"]: one["value"][1] for one in series}
        return prometheus.query(idle) == [] and shown == dict.fromkeys(MODELS, "0")

    wait_until("the panel to show zero after vLLM's idle gauges vanished", 90, zero_without_gauges)


@pytest.mark.parametrize("alert", [alert for alert in RUNBOOK if alert != STANDALONE])
def test_runbook_commands_answer(stack: Stack, alert: str) -> None:
    runbook_commands_answer(stack, RUNBOOK[alert])


def runbook_commands_answer(stack: Stack, commands: str) -> None:
    """Runs the commands of an alert's section: each ends well and says something."""
    preamble = f"NS={stack.namespace} RELEASE={stack.release} FULL={stack.fullname}\n"
    preamble += "HEAD=$(kubectl -n $NS get pod -l app.kubernetes.io/component=ray-head -o name | head -1)"
    for command in commands.splitlines():
        if not re.search(r"nodepool|nodeclaim|karpenter", command):  # this cluster has one node
            script = ["bash", "-euo", "pipefail", "-c", f"{preamble}\n{command}"]
            done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=120)
            assert done.returncode == 0, f"{command}: {done.stderr}"
            assert done.stdout.strip() or "FailedScheduling" in command, f"{command}: says nothing"
