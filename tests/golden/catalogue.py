"""The files of values/models/, and the table of docs/models.md that is made of them."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.golden.rendering import ROOT

FILES = sorted((ROOT / "values" / "models").glob("*.yaml"))
PAGE = ROOT / "docs" / "models.md"
HEAD = ("model", "task", "devices", "parallelism", "weights", "context", "licence", "file")
BEGIN, END = "<!-- begin: made by `make generate` -->\n", "<!-- end -->\n"
GIB = 2**30


@dataclass(frozen=True)
class Entry:
    """One file: a model, and what its comment says of it."""

    file: Path

    @cached_property
    def said(self) -> dict[str, str]:
        """The lines of the comment by their words: What, Licence, Runs on, See."""
        head, _, _ = self.file.read_text().partition("\n\n")
        text = re.sub(r"\n#  +", " ", head)
        return dict(re.findall(r"^# ([A-Z][a-z ]+): +(.+)$", text, re.MULTILINE))

    @cached_property
    def values(self) -> dict[str, Any]:
        return yaml.safe_load(self.file.read_text())

    @property
    def id(self) -> str:
        (name,) = self.values["models"]
        return name

    @property
    def model(self) -> dict[str, Any]:
        return self.values["models"][self.id]

    @property
    def name(self) -> str:
        """ORG/NAME on Hugging Face."""
        return self.model["source"].removeprefix("hf://")

    @property
    def parallelism(self) -> list[dict[str, Any]]:
        """What one replica of each kind is spread over."""
        own = self.model.get("parallelism", {})
        return [own | (role or {}).get("parallelism", {}) for role in self.model.get("roles", {"": {}}).values()]

    @property
    def devices(self) -> str:
        """How many devices one replica of each kind takes, and which."""
        sizes = [each.get("tensor", 1) * each.get("pipeline", 1) * each.get("data", 1) for each in self.parallelism]
        return f"{sum(sizes)} {self.model['accelerator']}"

    @property
    def gib(self) -> float:
        """GiB of one copy of the weights."""
        weights = self.model["weights"]
        return weights["billionParameters"] * weights.get("bytesPerParameter", 2) * 1e9 / GIB

    def row(self) -> tuple[str, ...]:
        """The cells of the table, as in HEAD."""
        spread = [", ".join(_size(*size) for size in each.items()) for each in self.parallelism]
        parts = [f"{role}: {text}" for role, text in zip(self.model.get("roles", {}), spread, strict=False)] or spread
        return (
            f"[{self.name}](https://huggingface.co/{self.name})",
            self.model.get("task", "generate"),
            self.devices,
            "; ".join(parts),
            f"{self.gib:.0f} GiB" if self.gib >= 10 else f"{self.gib:.1f} GiB",
            f"{self.model['engine']['max_model_len']:,}",
            self.said["Licence"],
            f"[{self.file.stem}](../values/models/{self.file.name})",
        )


def _size(name: str, size: int | bool) -> str:
    return name if size is True else f"{name} {size}"


def page() -> str:
    """docs/models.md with the table as it should be."""
    rows = [HEAD, ("---",) * len(HEAD), *(Entry(file).row() for file in FILES)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    text = PAGE.read_text()
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    return f"{before}{BEGIN}\n{table}\n{after}"
