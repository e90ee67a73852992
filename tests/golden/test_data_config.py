"""What the chart renders for the data component is what it takes, and says all that there is to say."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from serve_app.settings.data import Batches, Chunk, DataConfig, Files, Ingest, Store, Vectors
from tests.golden.rendering import VALUES, render

DEMO = next(values for values in VALUES if values.stem == "cpu-demo")
EVERYTHING: dict[str, Any] = {
    "models": {"minilm": {"source": "/models/minilm", "task": "embed", "accelerator": "cpu"}},
    "auth": {"teams": {"search": {}}},
    "data": {"enabled": True, "embed": "minilm", "chunk": {"maxTokens": 200, "overlapTokens": 40}},
    "vectorStores": {
        "handbook": {"team": "search", "writers": ["ci"], "description": "x", "embed": "minilm"},
        "short": {"chunk": {"maxTokens": 100}},
    },
}


def config(folder: Path, values: dict[str, Any]) -> DataConfig:
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    for each in yaml.safe_load_all(render(DEMO, "--values", str(file))):
        if each and each["kind"] == "ConfigMap" and "data.yaml" in each["data"]:
            return DataConfig.model_validate(yaml.safe_load(each["data"]["data.yaml"]))
    raise AssertionError("there is no data.yaml")


def test_values_reach_every_key_of_its_settings(tmp_path: Path) -> None:
    found = config(tmp_path, EVERYTHING)
    handbook = found.stores["handbook"]
    parts: list[BaseModel] = [found, found.files, found.vectors, found.ingest, found.batches, found.chunk, handbook]
    assert {type(part): part.model_fields_set for part in parts} == {
        section: set(section.model_fields) for section in (DataConfig, Files, Vectors, Ingest, Batches, Chunk, Store)
    }
    assert (handbook.chunk.max_tokens, handbook.chunk.overlap) == (200, 40)
    short = found.stores["short"]
    assert (short.embed, short.chunk.max_tokens, short.chunk.overlap) == ("minilm", 100, 50)


def test_its_defaults_are_the_charts(tmp_path: Path) -> None:
    found = config(tmp_path, {"data": {"enabled": True}})
    for name in ("files", "vectors", "ingest", "batches", "chunk"):
        assert getattr(found, name) == type(getattr(found, name))(), name
