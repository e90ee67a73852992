"""values.schema.json: the JSON Schema of the chart's values, made of the pydantic models and values.yaml's comments.

A key of values.yaml is described by its comment there; a key of a map's entry, which values.yaml does not have, by its
field.

pydantic's own schema is right but hard to read in Helm's messages (`anyOf failed` for every key that may be null), so
references are resolved and unions of plain types are written as lists of types. Helm tells what it refuses by a value
that it wanted instead (`value must be ...`); where a bare `not allowed` would leave the user without a remedy, that
value is the remedy.
"""

from pathlib import Path
from typing import Any

from serve_app.settings import patterns
from serve_app.settings.chart.values import Values
from serve_app.settings.comments import Keys, comments
from serve_app.settings.engine import OWNED, arguments

Schema = dict[str, Any]
# The entries of these maps take their descriptions from the keys that stand for them in values.yaml.
REPRESENTATIVES: dict[Keys, Keys] = {
    ("models", "*"): ("modelDefaults",),
    ("pipelines", "*"): ("pipelineDefaults",),
    ("jobs", "*"): ("jobDefaults",),
    ("clusters", "*"): ("clusterDefaults",),
    ("accelerators", "*"): ("acceleratorDefaults",),
    ("capacity", "nodePools", "*"): ("capacity", "nodePoolDefaults"),
}
POD = "pod"
"""A key of this name has those of `podDefaults`, wherever it is."""
ENGINE = "engineArguments"
DROPPED = ("title", "default")


def values_schema(values: Path) -> Schema:
    """The whole schema; `values` is the chart's values.yaml."""
    raw = Values.model_json_schema(by_alias=True)
    schema = _simplify(_undescribed(raw), raw.get("$defs", {}))
    _describe(schema, (), comments(values))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Values of ray-vllm-stack",
        **schema,
        "$defs": {ENGINE: engine_schema()},
    }


def engine_schema() -> Schema:
    """A model's `engine`: vLLM's arguments, closed. One that the stack sets is refused with what to do instead."""
    known = {name: _nullable(dict(schema)) for name, schema in arguments().items()}
    owned = {name: {"const": f"left out ({remedy})"} for name, remedy in OWNED.items()}
    return {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": dict(sorted((known | owned).items())),
    }


def _undescribed(node: Schema) -> Schema:
    """A model's schema without its docstring, which is for those who read the code."""
    return {key: value for key, value in node.items() if key != "description"}


def _simplify(node: Schema, defs: Schema) -> Schema:
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        described = {key: node[key] for key in ("description",) if key in node}
        if name.endswith("Engine"):
            return {"$ref": f"#/$defs/{ENGINE}"} | described
        return _simplify(_undescribed(defs[name]), defs) | described
    node = {key: value for key, value in node.items() if key not in (*DROPPED, "$defs")}
    if "patternProperties" in node:
        # Names of a kind. `propertyNames` would say this too, but Helm reports it under a wrong path.
        ((pattern, entry),) = node["patternProperties"].items()
        node["patternProperties"] = {pattern: _simplify(entry, defs)}
        node["additionalProperties"] = {"const": f"under another name ({patterns.WORDS[pattern]})"}
    if "properties" in node:
        node["properties"] = {key: _simplify(value, defs) for key, value in node["properties"].items()}
    if "anyOf" in node:
        node["anyOf"] = [_simplify(option, defs) for option in node["anyOf"]]
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            node[key] = _simplify(node[key], defs)
    return _merged(node)


def _merged(node: Schema) -> Schema:
    """Writes a union of types as one schema: the constraints of JSON Schema each concern one type."""
    options: list[Schema] = node.get("anyOf", [])
    if any("$ref" in option for option in options):
        return next(option for option in options if "$ref" in option)
    if not options or any("const" in option for option in options):
        return node
    types: list[str] = []
    merged = {key: value for key, value in node.items() if key != "anyOf"}
    for option in options:
        names = option["type"] if isinstance(option["type"], list) else [option["type"]]
        types.extend(name for name in names if name not in types)
        merged.update({key: value for key, value in option.items() if key not in ("type", "enum")})
        if "enum" in option:
            merged["enum"] = [*option["enum"], None]
    return {"type": types, **merged}


def _nullable(schema: Schema) -> Schema:
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if "type" not in schema:
        return schema
    names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*names, "null"]}


def _describe(node: Schema, path: Keys, texts: dict[Keys, str]) -> None:
    if text := texts.get(_representative(path)):
        node["description"] = text
    for key, child in node.get("properties", {}).items():
        _describe(child, (*path, key), texts)
    for entry in (*node.get("patternProperties", {}).values(), node.get("additionalProperties")):
        if isinstance(entry, dict) and "const" not in entry:
            _describe(entry, (*path, "*"), texts)


def _representative(path: Keys) -> Keys:
    """Where the comment of a path stands in values.yaml."""
    if POD in path[:-1]:
        return ("podDefaults", *path[path.index(POD) + 1 :])
    for entry, stand_in in REPRESENTATIVES.items():
        if path[: len(entry)] == entry and len(path) > len(entry):
            return stand_in + path[len(entry) :]
    return path
