"""The two Secrets of API keys, as rendered: what the gateway mounts opens nothing, and belongs to the texts beside."""

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
import yaml

from serve_app.gateway.access.keys import parse
from tests.golden.rendering import CHART, VALUES

CANARY = next(values for values in VALUES if values.stem == "canary")


def secrets(values: Path) -> dict[str, dict[str, str]]:
    """The data of the rendered Secrets, by the end of their names."""
    command = ["helm", "template", "demo", str(CHART), "--namespace", "llm", "--values", str(values)]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {
        document["metadata"]["name"].removeprefix("demo-ray-vllm-stack-"): {
            name: base64.b64decode(value).decode() for name, value in document["data"].items()
        }
        for document in yaml.safe_load_all(rendered)
        if document and document["kind"] == "Secret"
    }


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, str]]:
    return secrets(CANARY)


def test_every_key_has_an_entry_that_the_gateway_takes(found: dict[str, dict[str, str]]) -> None:
    entries = {name: parse(name, entry.encode()) for name, entry in found["key-hashes"].items()}
    assert set(entries) == {"default", "search", "support", "trial"}
    assert (entries["trial"].team, entries["trial"].requests_per_minute) == ("trial", 10)


def test_texts_are_those_of_the_hashes(found: dict[str, dict[str, str]]) -> None:
    for name, text in found["api-keys"].items():
        digest = hashlib.sha256(text.encode()).hexdigest()
        assert parse(name, found["key-hashes"][name].encode()).hash == f"sha256:{digest}"
        assert text not in str(found["key-hashes"])
    assert len(set(found["api-keys"].values())) == len(found["key-hashes"]) == 4
