"""The chart's alerts, as rendered: promtool reads them, and each fires when it should and only then."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kube import helm
from tests.cluster.stack import CHART, ROOT

HERE = Path(__file__).parent
TESTS = sorted(HERE.glob("*.test.yaml"))


def promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def groups() -> list[dict[str, Any]]:
    template = "templates/observability/prometheus-rule.yaml"
    rendered = helm("template", "demo", str(CHART), "-n", "llm", "-f", str(HERE / "values.yaml"), "-s", template)
    found: list[dict[str, Any]] = yaml.safe_load(rendered)["spec"]["groups"]
    return found


@pytest.fixture
def directory(groups: list[dict[str, Any]], tmp_path: Path) -> Path:
    """A directory with the rendered rules.yaml, to which the tests' `rule_files` points."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    return tmp_path


def alerts(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for group in groups for rule in group["rules"]]


def test_rules_are_what_prometheus_reads(directory: Path) -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", str(directory / "rules.yaml"))


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name.split(".")[0])
def test_alerts_fire_when_they_should(directory: Path, file: Path) -> None:
    promtool("test", "rules", str(shutil.copy(file, directory)))


def test_every_alert_has_a_case_that_fires_and_one_that_does_not(groups: list[dict[str, Any]]) -> None:
    fires: set[str] = set()
    quiet: set[str] = set()
    for file in TESTS:
        for case in yaml.safe_load(file.read_text())["tests"]:
            for check in case["alert_rule_test"]:
                (fires if check.get("exp_alerts") else quiet).add(check["alertname"])
    assert fires == quiet == {rule["alert"] for rule in alerts(groups)}


def test_every_alert_tells_what_is_wrong_and_where_to_read_on(groups: list[dict[str, Any]]) -> None:
    headings = set(re.findall(r"^## (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE))
    assert headings == {rule["alert"] for rule in alerts(groups)}
    for rule in alerts(groups):
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"].endswith(f"docs/runbook.md#{rule['alert'].lower()}")


def test_rules_name_only_this_release(groups: list[dict[str, Any]]) -> None:
    for rule in alerts(groups):
        assert "$" not in rule["expr"]
        if "karpenter_" in rule["expr"]:  # of the whole Kubernetes cluster
            selectors = re.findall(r"karpenter_\w+\{([^}]*)", rule["expr"])
            assert all('nodepool=~"llm[.]demo-ray-vllm-stack[.]' in selector for selector in selectors)
            continue
        assert 'namespace="llm"' in rule["expr"]
        ours = r'job="(llm/demo-ray-vllm-stack-ray|demo-ray-vllm-stack-(gateway|data))"|pod=~"demo-ray-vllm-stack-'
        assert re.search(ours, rule["expr"])


def test_every_ray_cluster_has_its_own_head_alert(groups: list[dict[str, Any]]) -> None:
    heads = [rule for rule in alerts(groups) if rule["alert"] == "RayHeadDown"]
    services = [rule["labels"]["ray_service"] for rule in heads]
    assert services == ["demo-ray-vllm-stack-batch", "demo-ray-vllm-stack-main"]
    assert all(f'ray_service="{rule["labels"]["ray_service"]}"' in rule["expr"] for rule in heads)
