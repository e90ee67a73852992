"""The end of VALUES.md: keys of maps' entries that values.yaml does not have, such as those of a route."""

from collections.abc import Iterator

from serve_app.settings.comments import Keys
from serve_app.settings.schema import REPRESENTATIVES, Schema

HEAD = """
## Entries of maps

`*` stands for a name. Entries of other maps have the keys of their defaults above.

| Key | Type | Description |
|-----|------|-------------|
"""


def entries(schema: Schema) -> str:
    """The table, made of the schema's own descriptions."""
    rows = [f"| {'.'.join(keys)} | {_type(node)} | {node['description']} |" for keys, node in _described(schema, ())]
    return HEAD + "\n".join(rows)


def _described(node: Schema, path: Keys) -> Iterator[tuple[Keys, Schema]]:
    """What is inside an entry, in the order of the schema."""
    for key, child in node.get("properties", {}).items():
        below = (*path, key)
        if "*" in path and "description" in child:
            yield below, child
        yield from _described(child, below)
    below = (*path, "*")
    if below not in REPRESENTATIVES:
        for child in node.get("patternProperties", {}).values():
            yield from _described(child, below)


def _type(node: Schema) -> str:
    names = node.get("type", "string")
    return " or ".join(names) if isinstance(names, list) else str(names)
