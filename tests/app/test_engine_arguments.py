"""vLLM's engine arguments: the table of names, and how their schema is read off vLLM's classes."""

import enum
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pydantic
import pytest
from annotated_types import Ge, Gt, Le, Lt

from serve_app.models.engine_arguments import bounds, fields, schema_of
from serve_app.settings.engine import OWNED, arguments, refusals


def test_names_of_the_pinned_vllm() -> None:
    assert {"max_model_len", "gpu_memory_utilization", "enable_prefix_caching", "tool_call_parser"} <= set(arguments())
    assert arguments()["max_model_len"] == {"type": "integer", "minimum": -1}
    assert arguments()["gpu_memory_utilization"] == {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    assert "bfloat16" in arguments()["dtype"]["enum"]


def test_owned_arguments_exist_and_are_left_out() -> None:
    import json
    from importlib.resources import files

    document = json.loads(files("serve_app.settings").joinpath("engine_arguments.json").read_text())
    assert set(OWNED) <= set(document["arguments"])
    assert not set(OWNED) & set(arguments())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("max_modellen", "max_model_len"),
        ("gpu_memory_utilisation", "gpu_memory_utilization"),
        ("max_seqs", "max_num_seqs"),
        ("enable_prefix_cache", "enable_prefix_caching"),
        ("tool_parser", "tool_call_parser"),
    ],
)
def test_nearest_names(typed: str, meant: str) -> None:
    (sentence,) = refusals([typed])
    assert sentence.startswith(f"engine.{typed} is not an argument of this vLLM; did you mean ")
    assert meant in sentence


def test_nothing_to_refuse() -> None:
    assert refusals(["max_model_len", "dtype"]) == []


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


@dataclass
class Nested:
    a: int = 1


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int, {"type": "integer"}),
        (bool, {"type": "boolean"}),
        (float | None, {"type": "number"}),
        (str | list[str] | None, {"type": ["array", "string"]}),
        (Annotated[int | None, "doc"], {"type": "integer"}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Literal["a", "b"] | None, {"enum": ["a", "b"]}),
        (Literal["a", "b"] | str, {"type": "string"}),  # noqa: PYI051 - as vLLM writes it
        (dict[str, Any], {"type": "object"}),
        (Nested, {"type": "object"}),
        (set[str], {"type": "array"}),
        (Colour | None, {"type": "string"}),
        (Level, {"type": ["integer", "string"]}),
        (str | type[Nested], {"type": "string"}),
        (type[Nested] | None, {}),
        (Any, {}),
    ],
    ids=str,
)
def test_schema_of_a_type(annotation: object, schema: dict[str, Any]) -> None:
    assert schema_of(annotation) == schema


def test_fields_are_public_and_sorted() -> None:
    @dataclass
    class Arguments:
        b: int = 1
        a: str = ""
        _c: int = 1
        d: "Unknown" = field(default=None)  # type: ignore[name-defined]  # noqa: F821

    assert list(fields(Arguments).items()) == [("a", {"type": "string"}), ("b", {"type": "integer"}), ("d", {})]


def test_bounds_are_those_of_the_configs_that_agree() -> None:
    share = Annotated[float, Gt(0), Le(1)]

    @pydantic.dataclasses.dataclass
    class Cache:
        utilization: share = 0.9
        length: Annotated[int | None, Ge(-1)] = None
        depth: Annotated[int, Ge(1)] = 1
        name: Annotated[str, "text"] = ""

    @pydantic.dataclasses.dataclass
    class Scheduler:
        length: int = 1
        depth: Annotated[int, Ge(2)] = 2
        watermark: Annotated[float, Ge(0), Lt(1)] = 0

    assert bounds(Cache, Scheduler) == {
        "utilization": {"exclusiveMinimum": 0, "maximum": 1},
        "length": {"minimum": -1},
        "watermark": {"minimum": 0, "exclusiveMaximum": 1},
    }
