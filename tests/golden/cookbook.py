"""The blocks of docs/cookbook.md: each is a values file."""

import re
from typing import Any

import yaml

from tests.golden.rendering import ROOT

PAGE = ROOT / "docs" / "cookbook.md"


def blocks() -> dict[str, str]:
    """The YAML of each block by its heading, with a number from the second of a heading on."""
    found: dict[str, str] = {}
    for section in PAGE.read_text().split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        for number, text in enumerate(re.findall(r"^```yaml\n(.+?)^```$", section, re.MULTILINE | re.DOTALL), 1):
            found[heading if number == 1 else f"{heading} {number}"] = text
    return found


def engines(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The engine arguments that a values file gives its models, by model."""
    return {name: model["engine"] for name, model in values["models"].items() if model.get("engine")}


def cookbook() -> dict[str, dict[str, Any]]:
    """The blocks as values."""
    return {name: yaml.safe_load(text) for name, text in blocks().items()}
