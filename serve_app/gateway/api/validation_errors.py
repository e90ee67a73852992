"""Pydantic's validation errors in one sentence: from FastAPI's list, from vLLM's print of it, or from pydantic's print.

A value of a union is validated against each branch, so that one wrong field of `/v1/responses` makes vLLM list hundreds
of errors, each with a copy of the client's input. The sentence has the few that fit the input best, without the input.
"""

import ast
import re
from collections.abc import Iterable
from typing import NamedTuple

Location = tuple[str | int, ...]
"""Where a value is: fields and indexes, and among them pydantic's names of types and of branches of unions."""

MOST_SHOWN = 3
_MOST_READ = 1000
_LONGEST_PART = 200
_LONGEST_READ = 128 * 1024
"""Characters of a printed list."""

_COUNT = re.compile(r"\s*(\d{1,9}) validation errors?\b")
_LISTED = re.compile(
    r"^  \{'type': '(\w{1,50})', 'loc': (\([^\n]{0,4096}?\)), 'msg': ('[^'\n]*'|\"[^\"\n]*\")", re.MULTILINE
)
_PRINTED = re.compile(r"^(\S[^\n]{0,4096})\n  ([^\n]*?) \[type=(\w{1,50}), ", re.MULTILINE)
_FIELD = re.compile(r"[a-z_][a-z0-9_]*")
_TYPES = frozenset(
    ("str", "int", "float", "bool", "bytes", "list", "tuple", "dict", "set", "none", "nullable", "union")
)


class Complaint(NamedTuple):
    """One error of a list."""

    location: Location
    """As pydantic has it."""
    kind: str
    """Pydantic's `type`."""
    message: str

    @property
    def field(self) -> Location:
        """The field, as the client knows it."""
        return field_of(self.location)

    @property
    def is_about_the_kind(self) -> bool:
        """Whether the value is of another kind than the branch is for."""
        return self.kind == "literal_error" and self.location[-1:] in (("type",), ("role",))


class Complaints(NamedTuple):
    """A list of errors."""

    first: list[Complaint]
    """Those that could be read, at least one."""
    total: int
    """How many there are in all."""

    def sentence(self, *, dotted: bool) -> str:
        """The complaints that fit the input best, with their fields.

        The deepest come first, since that branch of a union got furthest. Branches for another kind of value, by its
        `type` or `role`, come last.

        Args:
            dotted: How fields are written, see `name_of`.
        """
        branches: dict[Location, set[Location]] = {}
        for each in self.first:
            branches.setdefault(each.field[:-1], set()).add(each.location[:-1])
        other = {
            each.location[:-1] for each in self.first if each.is_about_the_kind and len(branches[each.field[:-1]]) > 1
        }
        ordered = sorted(self.first, key=lambda each: (each.location[:-1] in other, -len(each.field)))
        shown: dict[str, None] = {}  # in order, each once
        for each in ordered:
            if len(shown) == MOST_SHOWN:
                break
            shown[f"{name_of(each.field, dotted=dotted)}: {each.message}".removeprefix(": ")] = None
        more = self.total - len(shown)
        return "; ".join(shown) + (f" (and {more} more error{'s' if more > 1 else ''})" if more > 0 else "")


def from_text(text: str) -> Complaints | None:
    """Reads a printed list, also one that is cut; None if it is none."""
    count = _COUNT.match(text)
    if count is None:
        return None
    text = text[:_LONGEST_READ]
    found = [
        Complaint(_location(listed[2]), listed[1], _clip(listed[3][1:-1])) for listed in _first(_LISTED.finditer(text))
    ] or [
        Complaint(split_path(printed[1]), printed[3], _clip(printed[2])) for printed in _first(_PRINTED.finditer(text))
    ]
    return Complaints(found, int(count[1])) if found else None


def from_list(errors: list[object]) -> Complaints | None:
    """Reads FastAPI's list of `{"loc", "msg", "type"}`; None if it is none."""
    found = [
        Complaint(
            tuple(part for part in location if isinstance(part, str | int)) if isinstance(location, list) else (),
            str(error.get("type")),
            _clip(str(error["msg"])),
        )
        for error in errors[:_MOST_READ]
        if isinstance(error, dict) and "msg" in error
        for location in [error.get("loc")]
    ]
    return Complaints(found, len(errors)) if found else None


def split_path(path: str) -> Location:
    """A dotted path as a location."""
    return tuple(int(part) if part.isdecimal() else part for part in path[:4096].split("."))


def field_of(location: Location) -> Location:
    """The field at a location, without pydantic's own names: fields are in lower case, unlike Python's classes."""
    inside = location[1:] if location[:1] == ("body",) else location
    if inside and isinstance(inside[0], int):
        return ()  # a position in what is not even JSON
    return tuple(
        part for part in inside if isinstance(part, int) or (part not in _TYPES and _FIELD.fullmatch(part) is not None)
    )


def name_of(field: Location, *, dotted: bool) -> str:
    """A field as OpenAI writes it, `messages[0].role`, or as Anthropic does, `messages.0.role`."""
    if dotted:
        return _clip(".".join(str(part) for part in field))
    return _clip("".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in field).removeprefix("."))


def _location(text: str) -> Location:
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    return tuple(part for part in found if isinstance(part, str | int)) if isinstance(found, tuple) else ()


def _first(matches: Iterable[re.Match[str]]) -> Iterable[re.Match[str]]:
    return (match for match, _ in zip(matches, range(_MOST_READ), strict=False))


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST_PART else text[: _LONGEST_PART - 1] + "…"
