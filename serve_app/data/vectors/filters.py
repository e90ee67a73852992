"""OpenAI's filters over the attributes of files: comparisons, and `and` and `or` of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST_DEPTH = 4
MOST_LEAVES = 64

Key = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Text = Annotated[str, StringConstraints(max_length=512)]
Scalar = bool | float | Text
"""Of an attribute; pydantic's smart mode keeps 1 and true apart."""


class Comparison(BaseModel):
    """One attribute against a value, or against some."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: Key
    value: Scalar | Annotated[list[Scalar], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _fits(self) -> Comparison:
        many = isinstance(self.value, list)
        if many != (self.type in ("in", "nin")):
            wanted = "a list" if self.type in ("in", "nin") else "one value"
            raise ValueError(f"'{self.type}' takes {wanted}")
        if self.type in ("gt", "gte", "lt", "lte") and isinstance(self.value, bool):
            raise ValueError(f"'{self.type}' takes a number or a string, not a boolean")
        return self


class Compound(BaseModel):
    """Several filters, all or one of which have to hold."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["and", "or"]
    filters: Annotated[list[Filter], Field(min_length=1, max_length=MOST_LEAVES)]

    @model_validator(mode="after")
    def _is_small(self) -> Compound:
        if _depth(self) > MOST_DEPTH:
            raise ValueError(f"filters are nested deeper than {MOST_DEPTH}")
        if _leaves(self) > MOST_LEAVES:
            raise ValueError(f"there are more than {MOST_LEAVES} comparisons")
        return self


Filter = Comparison | Compound
Compound.model_rebuild()


def _depth(node: Filter) -> int:
    return 1 + max(map(_depth, node.filters)) if isinstance(node, Compound) else 0


def _leaves(node: Filter) -> int:
    return sum(map(_leaves, node.filters)) if isinstance(node, Compound) else 1
