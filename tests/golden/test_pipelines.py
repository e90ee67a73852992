"""What an edit of a pipeline touches: its own application, and nothing of a model or of the Ray cluster."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden.rendering import ROOT, render

RAG = ROOT / "values" / "rag.yaml"


def service(tmp_path: Path, changed: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Each application of values/rag.yaml as text by its name, and the rest of the RayService's spec."""
    file = tmp_path / "more.yaml"
    file.write_text(yaml.safe_dump(changed))
    documents = yaml.safe_load_all(render(RAG, "--values", str(file)))
    spec = next(each["spec"] for each in documents if each and each["kind"] == "RayService")
    text = spec.pop("serveConfigV2")
    names = [each["name"] for each in yaml.safe_load(text)["applications"]]
    return dict(zip(names, text.partition("applications:\n")[2].split("\n  - "), strict=True)), spec


@pytest.mark.parametrize(
    "changed",
    [
        {"pipelines": {"handbook-chat": None}},
        {"pipelines": {"handbook-chat": {"prompt": "{documents}\n\n{question}", "keep": 2}}},
        {"pipelines": {"handbook-chat": {"replicas": {"max": 9}}}},
        {"pipelines": {"more": {"store": "handbook", "generate": "qwen3-8b"}}},
        {"pipelines": {"mine": {"kind": "custom", "importPath": "mine:build", "args": {"a": 1}}}},
    ],
    ids=["removed", "edited", "scaled", "added", "custom"],
)
def test_models_and_the_cluster_stay_as_they_are(tmp_path: Path, changed: dict[str, Any]) -> None:
    before, cluster = service(tmp_path, {"auth": {"teams": {"everybody": {"models": ["qwen3-8b"]}}}})
    after, same = service(tmp_path, {"auth": {"teams": {"everybody": {"models": ["qwen3-8b"]}}}, **changed})
    assert same == cluster
    (name,) = changed["pipelines"]
    assert after.get(name) != before.get(name)
    others = {each: text.strip() for each, text in before.items() if each != name}
    assert {each: text.strip() for each, text in after.items() if each != name} == others
    assert len(others) >= 3


def test_scaling_is_no_part_of_the_code(tmp_path: Path) -> None:
    before, _ = service(tmp_path, {})
    scaled = {"replicas": {"max": 9}, "parts": {"Ingress": {"resources": {"cpu": 1}}}, "rollout": {"drainSeconds": 9}}
    after, _ = service(tmp_path, {"pipelines": {"handbook-chat": scaled}})
    first, second = (yaml.safe_load(f"    {each['handbook-chat']}") for each in (before, after))
    assert first.pop("deployments") != second.pop("deployments")
    assert first == second
