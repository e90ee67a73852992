import pydantic
import pytest

from serve_app.gateway.api.validation_errors import Location, field_of, from_list, from_text, name_of, split_path


class Part(pydantic.BaseModel):
    size: int
    notes: list[str] | None = None


class Whole(pydantic.BaseModel):
    parts: list[Part]
    name: str | int


def printed(**values: object) -> str:
    """What pydantic prints."""
    with pytest.raises(pydantic.ValidationError) as refused:
        Whole.model_validate(values)
    return str(refused.value)


def listed(**values: object) -> str:
    """What vLLM prints of the same."""
    with pytest.raises(pydantic.ValidationError) as refused:
        Whole.model_validate(values)
    errors = refused.value.errors(include_url=False)
    label = "error" if len(errors) == 1 else "errors"
    return f"{len(errors)} validation {label}:\n" + "".join(f"  {error}\n" for error in errors)


@pytest.mark.parametrize("form", [printed, listed])
def test_both_prints_are_read(form: object) -> None:
    assert callable(form)
    complaints = from_text(form(parts=[{"size": "'x'), 'msg': 'y\n  z"}, {}], name="a"))
    assert complaints is not None
    assert complaints.total == 2
    assert complaints.sentence(dotted=True) == (
        "parts.0.size: Input should be a valid integer, unable to parse string as an integer; "
        "parts.1.size: Field required"
    )
    assert complaints.sentence(dotted=False).startswith("parts[0].size: ")


@pytest.mark.parametrize("form", [printed, listed])
def test_all_but_the_first_are_counted(form: object) -> None:
    assert callable(form)
    complaints = from_text(form(parts=[{}] * 5, name="a"))
    assert complaints is not None
    assert complaints.sentence(dotted=False) == (
        "parts[0].size: Field required; parts[1].size: Field required; parts[2].size: Field required "
        "(and 2 more errors)"
    )


def test_the_branch_that_got_furthest_comes_first() -> None:
    complaints = from_text(listed(parts=[{"size": 1, "notes": [{}]}], name="a"))
    assert complaints is not None
    assert complaints.sentence(dotted=False) == "parts[0].notes[0]: Input should be a valid string"
    both = from_text(listed(parts=[], name={"a": 1}))
    assert both is not None
    assert both.sentence(dotted=False) == "name: Input should be a valid string; name: Input should be a valid integer"


def test_branches_for_another_kind_of_value_come_last() -> None:
    complaints = from_list(
        [
            {"loc": ["body", "input", "Text", "type"], "msg": "Input should be 'text'", "type": "literal_error"},
            {"loc": ["body", "input", "Text", "text"], "msg": "Field required", "type": "missing"},
            {"loc": ["body", "input", "Image", "detail"], "msg": "Field required", "type": "missing"},
        ]
    )
    assert complaints is not None
    assert complaints.sentence(dotted=False) == (
        "input.detail: Field required; input.type: Input should be 'text'; input.text: Field required"
    )


def test_a_kind_that_no_branch_is_for_comes_first() -> None:
    complaints = from_list(
        [
            {"loc": ["body", "content", "str"], "msg": "Input should be a valid string", "type": "string_type"},
            {
                "loc": ["body", "content", "list[Block]", 0, "type"],
                "msg": "Input should be 'text'",
                "type": "literal_error",
            },
        ]
    )
    assert complaints is not None
    assert complaints.sentence(dotted=False).startswith("content[0].type: Input should be 'text'")


@pytest.mark.parametrize(
    "text", ["", "2 errors", "not 2 validation errors", "2 validation errors", "1 validation error:\n  x"]
)
def test_other_texts_are_no_lists(text: str) -> None:
    assert from_text(text) is None


@pytest.mark.parametrize(
    ("location", "brackets", "dots"),
    [
        (("body", "messages", 0, "UserMessage", "role"), "messages[0].role", "messages.0.role"),
        (("body", "function-wrap[x()]", "prompt"), "prompt", "prompt"),
        (("body", "stop", "list[str]", 2), "stop[2]", "stop.2"),
        (("body", "input", "str"), "input", "input"),
        (("query", "model"), "query.model", "query.model"),
        (("body", 9), "", ""),
        ((), "", ""),
    ],
)
def test_fields_are_named_as_their_api_does(location: Location, brackets: str, dots: str) -> None:
    field = field_of(location)
    assert (name_of(field, dotted=False), name_of(field, dotted=True)) == (brackets, dots)


def test_paths_are_split_into_fields_and_indexes() -> None:
    assert split_path("body.tools.0.function") == ("body", "tools", 0, "function")


def test_a_long_text_of_the_client_is_not_repeated() -> None:
    complaints = from_list([{"loc": ["body", "x" * 5000], "msg": "y" * 5000}])
    assert complaints is not None
    assert len(complaints.sentence(dotted=False)) < 500
