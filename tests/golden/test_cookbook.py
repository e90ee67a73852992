"""Every block of docs/cookbook.md passes the schema and the guards, and reaches the engine as it is written."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden.cookbook import PAGE, blocks, cookbook, engines
from tests.golden.rendering import render

BLOCKS = blocks()


def test_every_section_has_a_block() -> None:
    text = PAGE.read_text()
    assert text.count("\n## ") == len({name.rstrip(" 0123456789") for name in BLOCKS})
    assert text.count("```yaml") == text.count("```") / 2 == len(BLOCKS)


@pytest.mark.parametrize("name", BLOCKS)
def test_reaches_the_engine(name: str, tmp_path: Path) -> None:
    """Helm would read a template in a text as its own if anything rendered it."""
    file = tmp_path / "values.yaml"
    file.write_text(BLOCKS[name])
    given = engines(cookbook()[name])
    found: dict[str, dict[str, Any]] = {}
    for document in yaml.safe_load_all(render(file)):
        if document["kind"] == "RayService":
            config = yaml.safe_load(document["spec"]["serveConfigV2"])
            found |= {each["args"]["model_id"]: each["args"]["engine"] for each in config["applications"]}
    assert {model: found[model] for model in given} == given
