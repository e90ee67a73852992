"""The edit table of docs/safe-change.md, made of the campaign's edits: what was tried, by what it does to whom."""

import re
from collections import defaultdict
from typing import Any

import yaml

from serve_app.impact.effects import Effect
from tests.golden.rendering import ROOT

DOCS = ROOT / "docs" / "safe-change.md"
EDITS = ROOT / "tests" / "campaign" / "edits.yaml"
BEGIN, END = "<!-- edits -->\n", "<!-- end -->"
_EFFECTS = {effect.word: effect for effect in Effect}
_PLACES = {
    r"models\.(sparrow|owl)": "models.<id>",
    r"clusters\.main": "clusters.<name>",
    r"accelerators\.cpu": "accelerators.<class>",
    r"teams\.birds": "teams.<team>",
}
_SUBJECTS = {"gateway": "the gateway", "cluster main": "the Ray cluster", "head main": "the Ray head"}


def written(text: str) -> str:
    """The page with its table as it should be."""
    before, mark, rest = text.partition(BEGIN)
    return f"{before}{mark}{table(yaml.safe_load(EDITS.read_text()))}{END}{rest.partition(END)[2]}"


def table(rows: list[dict[str, Any]]) -> str:
    """The rows that do the same to the same become one, the mildest first."""
    found = defaultdict[tuple[tuple[Effect, str], ...], list[str]](list)
    for row in rows:
        effects = {(_EFFECTS[word], _subject(subject)) for subject, word in row["says"].items()}
        done = tuple(sorted(each for each in effects if each[0] is not Effect.UNTOUCHED))
        if (name := _edit(row["edit"])) not in found[done]:
            found[done].append(name)
    ordered = sorted(found.items(), key=lambda item: max(item[0], default=(Effect.UNTOUCHED, "")))
    lines = [f"| {_said(effects)} | {', '.join(edits)} |" for effects, edits in ordered]
    return "\n".join(["| what it does | edits |", "| --- | --- |", *lines, ""])


def _said(effects: tuple[tuple[Effect, str], ...]) -> str:
    return ", ".join(f"{subject}: `{effect.word}`" for effect, subject in effects) or "nothing that serves is touched"


def _subject(subject: str) -> str:
    if subject.startswith("model "):
        return "the model"
    return _SUBJECTS.get(subject) or subject.rpartition("-")[2]  # a Deployment's component


def _edit(edit: str) -> str:
    for pattern, place in _PLACES.items():
        edit = re.sub(pattern, place, edit)
    path, _, rest = edit.partition(" ")
    return f"`{path}` {rest}".strip() if "." in path else edit
