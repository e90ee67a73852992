"""What the parts of the gateway's files have in common: camelCase keys, none unknown, refusals in one sentence."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_camel

Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
Seconds = Annotated[float, Field(gt=0, le=86400)]
Count = Annotated[int, Field(ge=0)]
PositiveCount = Annotated[int, Field(ge=1)]
Percent = Annotated[float, Field(ge=0, le=100)]


class Section(BaseModel):
    """A part of a file: immutable, camelCase, closed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_keys(cls, data: object) -> object:
        """Refuses unknown keys with the known ones in the sentence, which `extra="forbid"` alone would not say."""
        if isinstance(data, dict):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            if unknown := sorted(str(key) for key in data if key not in known):
                use = f"use one of: {', '.join(known)}" if known else "it takes no keys"
                raise ValueError(f"has the unknown key {unknown[0]!r}, {use}")
        return data


def explain(error: ValidationError) -> str:
    """Tells a refusal in one sentence: the first offending key, what is wrong, and what to do.

    Args:
        error: What `model_validate` of a section raised.
    """
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"] if part != "[key]")
    if first["type"] == "missing":
        problem = "is missing, add it"
    elif first["type"] == "value_error":
        problem = str(first["ctx"]["error"])
    else:
        problem = f"is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{key} {problem}{more}".strip()
