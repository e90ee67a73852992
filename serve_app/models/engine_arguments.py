"""Prints vLLM's engine arguments as JSON Schema: `python -m serve_app.models.engine_arguments`, in the serve image.

The fields are those that Ray passes on: the engine's and the OpenAI server's. The schema is never narrower than what
vLLM takes: a type that JSON cannot say is passed over, and a field with no other type is open. The bounds of numbers
are not the arguments' own, but those of the configs that vLLM makes of them, whose fields have the same names.
"""

import dataclasses
import enum
import json
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import redirect_stdout
from typing import Annotated, Any, Literal, Union

BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
SCALARS: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def fields(*classes: type) -> dict[str, dict[str, Any]]:
    """The public fields of dataclasses, sorted by name, each with its schema."""
    found: dict[str, dict[str, Any]] = {}
    for cls in classes:
        for field in dataclasses.fields(cls):
            if not field.name.startswith("_"):
                # A type in quotes names what vLLM imports for type checkers only.
                found[field.name] = {} if isinstance(field.type, str) else schema_of(field.type)
    return dict(sorted(found.items()))


def bounds(*configs: Any) -> dict[str, dict[str, float]]:  # noqa: ANN401 - pydantic's dataclasses, not imported here
    """The bounds of the configs' numbers by field; none where two configs of one field differ."""
    found: dict[str, dict[str, float]] = {}
    differ: set[str] = set()
    for config in configs:
        for name, field in config.__pydantic_fields__.items():
            limits = {
                keyword: getattr(each, short)
                for each in field.metadata
                for short, keyword in BOUNDS.items()
                if hasattr(each, short)
            }
            if limits and found.setdefault(name, limits) != limits:
                differ.add(name)
    return {name: limits for name, limits in found.items() if name not in differ}


def schema_of(annotation: object) -> dict[str, Any]:
    """The JSON Schema of a field: its types, and the choices where vLLM has a closed list of them."""
    names: set[str] = set()
    choices: list[Any] = []
    for option in _options(annotation):
        if typing.get_origin(option) is Literal:
            choices.extend(typing.get_args(option))
        else:
            names.update(json_types(option))
    if choices and not names:
        return {"enum": choices}
    names.update(SCALARS[type(choice)] for choice in choices)
    if not names:
        return {}
    return {"type": names.pop() if len(names) == 1 else sorted(names)}


def json_types(annotation: object) -> set[str]:
    """The JSON types of one Python type; none for a type that JSON cannot say."""
    origin = typing.get_origin(annotation) or annotation
    if origin in SCALARS:
        return {SCALARS[origin]}
    if not isinstance(origin, type):
        return set()
    if issubclass(origin, enum.Enum):
        return {"string", "integer"} if issubclass(origin, int) else {"string"}
    if dataclasses.is_dataclass(origin) or issubclass(origin, Mapping):
        return {"object"}
    return {"array"} if issubclass(origin, Sequence | AbstractSet) else set()


def _options(annotation: object) -> list[object]:
    """The members of a union, with annotations taken off."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _options(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [option for member in typing.get_args(annotation) for option in _options(member)]
    return [annotation]


def _is_config(cls: object) -> bool:
    return isinstance(cls, type) and dataclasses.is_dataclass(cls) and hasattr(cls, "__pydantic_fields__")


def main() -> None:
    """Writes the arguments of the installed vLLM."""
    with redirect_stdout(sys.stderr):  # vLLM logs there
        from vllm.engine import arg_utils
        from vllm.entrypoints.launchers.cli_args import FrontendArgs

    from serve_app.version import installed

    # A draft model's config has fields of its own by the names of the model's.
    configs = {cls for name, cls in vars(arg_utils).items() if name != "SpeculativeConfig" and _is_config(cls)}
    limits = bounds(*configs)
    found = {
        name: schema | limits.get(name, {}) for name, schema in fields(arg_utils.AsyncEngineArgs, FrontendArgs).items()
    }
    rows = [f" {json.dumps(name)}: {json.dumps(schema)}" for name, schema in found.items()]
    body = ",\n".join(rows)
    sys.stdout.write(f'{{"vllm": "{installed("vllm")}", "arguments": {{\n{body}\n}}}}\n')


if __name__ == "__main__":
    main()
