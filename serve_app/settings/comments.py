"""The `# --` comments of values.yaml, by the path of the key that they stand above."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

Keys = tuple[str, ...]
COMMENT = re.compile(r"^\s*#( ?)(.*)$")
START = "-- "


def comments(values: Path) -> dict[Keys, str]:
    """Reads every comment of the values file; the text of several lines is joined."""
    text = values.read_text(encoding="utf-8")
    lines = text.splitlines()
    return {keys: comment for keys, line in _keys(yaml.compose(text), (), lines) if (comment := _above(lines, line))}


def _keys(node: yaml.Node | None, path: Keys, lines: list[str]) -> Iterator[tuple[Keys, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            if not lines[key.start_mark.line][: key.start_mark.column].strip():  # not a key of a flow mapping {a: 1}
                yield below, key.start_mark.line
            yield from _keys(value, below, lines)


def _above(lines: list[str], line: int) -> str:
    """The comment right above a line: from its last `# --` on, so that a heading above it is left out."""
    block: list[str] = []
    for text in reversed(lines[:line]):
        match = COMMENT.match(text)
        if match is None:
            return ""
        if match[2].startswith("@"):  # for helm-docs alone, such as `# @default -- text`
            continue
        block.insert(0, match[2].strip())
        if block[0].startswith(START):
            block[0] = block[0].removeprefix(START)
            return " ".join(block)
    return ""
