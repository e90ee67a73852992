"""The page of the accelerator classes tells what the values have; files for clouds name classes that there are."""

import yaml

from tests.golden.accelerators import CLOUDS, DOCS, written
from tests.golden.rendering import CHART, ROOT, render


def test_the_page_is_up_to_date() -> None:
    text = DOCS.read_text()
    assert text.count("<!-- end -->") == 2
    assert written(text) == text, "run `make generate`"


def test_clouds_name_classes_that_there_are() -> None:
    """A selector of a misspelt class would be a class of its own, and the one that was meant would run anywhere."""
    classes = set(yaml.safe_load((CHART / "values.yaml").read_text())["accelerators"])
    for file in CLOUDS.values():
        selected = yaml.safe_load((ROOT / f"values/{file}.yaml").read_text())["accelerators"]
        assert set(selected) <= classes
        assert all(entry["nodeSelector"] for entry in selected.values())


def test_a_share_of_a_gpu_that_fits_is_taken() -> None:
    for engine in ("{}", '{"gpu_memory_utilization": 0.5}', '{"kv_cache_memory_bytes": 1000000000}'):
        share = f"models.qwen3-8b.acceleratorShare=0.5,models.qwen3-8b.engine={engine}"
        assert render(ROOT / "values" / "gke.yaml", "--set-json", share)
