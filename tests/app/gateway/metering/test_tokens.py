import pytest

from serve_app.gateway.exchange.usage import Usage, cost
from serve_app.gateway.metering.tokens import from_anthropic, from_cohere, from_openai
from serve_app.settings.gateway import Price


def test_cached_tokens_are_not_counted_twice() -> None:
    usage = from_openai({"prompt_tokens": 321, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 256}})
    assert usage == Usage(prompt=65, cached=256, completion=2)
    assert usage.total == 323


def test_anthropic_leaves_both_kinds_of_cache_tokens_out_of_the_input() -> None:
    usage = {"input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 64, "cache_read_input_tokens": 256}
    assert from_anthropic(usage) == Usage(prompt=65, cached=256, completion=2)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"type": "duration", "seconds": 9}, Usage(0, 0, 0)),
        ({"input_tokens": 3, "output_tokens": 4, "input_tokens_details": None}, Usage(3, 0, 4)),
        ({"prompt_tokens": 3, "completion_tokens": None, "prompt_tokens_details": []}, Usage(3, 0, 0)),
        ({"prompt_tokens": "3", "completion_tokens": -1}, Usage(0, 0, 0)),
        ({"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 9}}, Usage(0, 3, 0)),
    ],
)
def test_unusual_usage_breaks_nothing(usage: dict[str, object], expected: Usage) -> None:
    assert from_openai(usage) == expected


def test_cohere_bills_images_as_tokens() -> None:
    assert from_cohere({"billed_units": {"input_tokens": 3, "image_tokens": 4}}) == Usage(7, 0, 0)
    assert from_cohere({"api_version": {"version": "2"}}).partial


def test_cost_adds_the_kinds_each_by_its_price() -> None:
    price = Price(promptPerMillion=2, cachedPerMillion=0.5, completionPerMillion=10)
    assert cost(Usage(1000, 2000, 300), price) == pytest.approx(0.002 + 0.001 + 0.003)


def test_cached_tokens_without_a_price_cost_as_much_as_others() -> None:
    assert cost(Usage(1000, 2000, 0), Price(promptPerMillion=2)) == pytest.approx(0.006)
    assert cost(Usage(1000, 2000, 0), Price(promptPerMillion=2, cachedPerMillion=0)) == pytest.approx(0.002)
