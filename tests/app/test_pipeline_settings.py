"""A pipeline's args: what cannot work is one sentence that begins with its id."""

from typing import Any

import pytest

from serve_app.settings.errors import SettingsError
from serve_app.settings.filters import DEEPEST, MOST, check_filters, joined
from serve_app.settings.pipeline import RagSettings

from .pipelines.support import args

EQUAL = {"type": "eq", "key": "a", "value": "b"}


def test_args_survive_the_way_to_a_replica() -> None:
    settings = RagSettings.parse(args(filters=EQUAL, rerank={"model": "ranker"}))
    assert RagSettings.parse(settings.model_dump(exclude_defaults=True)) == settings


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"prompt": "{question}"}, "pipeline 'docs': prompt has no {documents}, say where it goes"),
        ({"prompt": "{documents}"}, "prompt has no {question}"),
        ({"topk": 3}, "topk is not a setting; did you mean top_k?"),
        ({"keep": 0}, "keep: input should be greater than or equal to 1"),
        ({"data": {"url": "data:8080"}}, "data.url: string should match pattern"),
        ({"filters": {"type": "eq"}}, "filters of type 'eq' has the keys type, key"),
    ],
)
def test_refusals(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        RagSettings.parse(args(**changed))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "filters",
    [
        EQUAL,
        {"type": "in", "key": "a", "value": ["b", 1]},
        {"type": "or", "filters": [EQUAL, {"type": "and", "filters": [EQUAL]}]},
        {"type": "gt", "key": "a", "value": 1.5},
        {"type": "ne", "key": "a", "value": True},
    ],
)
def test_filters(filters: Any) -> None:
    check_filters(filters, "filters")


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ([], "filters is no object"),
        ({"type": "not", "filters": [EQUAL]}, "filters.type is 'not', use one of eq"),
        ({"type": "and", "filters": []}, "a list with at least one"),
        ({"type": "and", "filters": [{"type": "eq", "key": "a"}]}, "filters.filters.0 of type 'eq'"),
        ({**EQUAL, "value": None}, "filters.value is None"),
        ({**EQUAL, "value": ["b"]}, "filters.value is ['b']"),
        ({**EQUAL, "type": "in"}, "takes a list of texts or numbers"),
        ({"type": "or", "filters": [EQUAL] * (MOST + 1)}, f"more than {MOST} comparisons"),
    ],
)
def test_filters_that_are_none(filters: Any, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_filters(filters, "filters")
    assert says in str(caught.value)


def test_filters_of_any_depth_are_refused() -> None:
    filters: dict[str, Any] = EQUAL
    for _ in range(DEEPEST + 1):
        filters = {"type": "and", "filters": [filters]}
    with pytest.raises(SettingsError, match="levels deep"):
        check_filters(filters, "filters")


def test_joined() -> None:
    other = {**EQUAL, "key": "c"}
    assert joined(None, {}) is None
    assert joined({}, EQUAL) == EQUAL
    assert joined(EQUAL, other) == {"type": "and", "filters": [EQUAL, other]}
