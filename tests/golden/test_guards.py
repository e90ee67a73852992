"""Guards that the schema comes before: they hold also for tools that skip it. The others are in tests/app."""

import shutil
from pathlib import Path

import pytest

from tests.golden.rendering import CHART, VALUES, render

DEMO = next(values for values in VALUES if values.stem == "cpu-demo")
CASES = {
    "models.sparrow.source=Qwen/Qwen3-8B": 'models.sparrow.source: is "Qwen/Qwen3-8B", write it as hf://ORG/NAME',
    "models.sparrow.replicas.max=0": "models.sparrow.replicas.max: is 0, make it at least 1, or set models.sparrow",
    "models.sparrow.engine.model=x": "models.sparrow.engine.model: is set by the chart, use models.sparrow.source",
    "models.sparrow.engine.served_model_name=x": "engine.served_model_name: is set by the chart, use models.sparrow.s",
    "models.sparrow.engine.revision=x": "engine.revision: is set by the chart, use models.sparrow.revision",
    "models.sparrow.engine.tensor_parallel_size=2": "is set by the chart, use models.sparrow.parallelism.tensor",
    "models.sparrow.engine.download_dir=/x": "is set by the chart, use clusterDefaults.storage.modelCache",
    "models.sparrow.engine.hf_token=x": "is set by the chart, use clusterDefaults.storage.huggingFaceToken",
    "models.sparrow.engine.api_key=x": "models.sparrow.engine.api_key: is set by the chart, use auth",
    "clusters.main.faultTolerance.address=redis.example": (
        'clusters.main.faultTolerance.address: is "redis.example", write it as redis://HOST:PORT or rediss://HOST:PORT'
    ),
    "clusters.main.faultTolerance.address=redis://:secret@redis:6379": "the password goes into existingSecret",
    "fullnameOverride=1st": 'fullnameOverride: object names would begin with "1st", but KubeRay takes',
}


@pytest.mark.parametrize(("set_", "says"), CASES.items(), ids=CASES)
def test_refused_without_the_schema(set_: str, says: str) -> None:
    with pytest.raises(RuntimeError) as refused:
        render(DEMO, "--skip-schema-validation", "--set", set_)
    assert says in str(refused.value)


def test_dependency_is_the_pinned_operator(tmp_path: Path) -> None:
    """A chart whose operator is not the one of files/versions.yaml does not render."""
    chart = tmp_path / "chart"
    shutil.copytree(CHART, chart)
    versions = chart / "files" / "versions.yaml"
    versions.write_text(versions.read_text().replace("kuberay: 1.6.2", "kuberay: 1.6.3"))
    with pytest.raises(RuntimeError, match=r"the dependency kuberay-operator is 1\.6\.2, but .* says 1\.6\.3"):
        render(DEMO, "--set", "kuberay-operator.enabled=true", chart=chart)


@pytest.mark.parametrize("step", [10, 50, 100])
def test_every_step_of_a_canary_is_taken(step: int) -> None:
    """Its weights alone are edited, while each of the two stays the other's fallback."""
    weights = f'{{"sparrow": {{"weight": {100 - step}}}, "owl": {{"weight": {step}}}}}'
    assert render(
        DEMO,
        "--set-json",
        f'routes.chat={{"backends": {weights}, "fallback": {{"owl": {{}}, "sparrow": {{"order": 1}}}}}}',
    )
