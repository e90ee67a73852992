from collections import Counter
from typing import Any

import pytest

from serve_app.gateway.exchange.caller import Caller
from serve_app.gateway.routing.catalog import Catalog

from .catalogs import BACKENDS, EMBEDDINGS, KEYED, MATCHED, TOKENIZE, asked, catalog, refusal, resolve


class TestRoutes:
    def test_the_backend_is_drawn_by_weight(self) -> None:
        source = catalog(r={"backends": {"a": {"weight": 90}, "b": {"weight": 10}, "c": {"weight": 0}}})
        counts = Counter(asked(resolve(source, "r"))[0] for _ in range(5000))
        assert set(counts) == {"a", "b"}
        assert abs(counts["b"] - 500) < 4 * (5000 * 0.1 * 0.9) ** 0.5

    def test_what_its_targets_say(self) -> None:
        plan = resolve(catalog(r={"backends": {"hidden": {}}, "fallback": {"gpt": {}}}), "r")
        assert (plan.name, plan.route) == ("r", "r")
        told = [(target.model, target.route, target.upstream_model) for target in plan.targets]
        assert told == [("hidden", "r", "hidden"), ("gpt", "r", "gpt-5")]

    def test_fallbacks_follow_in_their_order(self) -> None:
        fallback = {"gpt": {"order": 9}, "c": {"order": 1}, "b": {"order": 1}, "e": {}, "hidden": {"order": 0}}
        source = catalog(r={"backends": {"a": {}}, "fallback": fallback})
        assert asked(resolve(source, "r")) == ["a", "hidden", "b", "c", "gpt"]

    def test_no_model_is_asked_twice(self) -> None:
        source = catalog(r={"backends": {"a": {}, "b": {}}, "fallback": {"a": {"order": 1}, "b": {"order": 2}}})
        assert {tuple(asked(resolve(source, "r"))) for _ in range(100)} == {("a", "b"), ("b", "a")}

    def test_backends_whose_task_does_not_fit_are_left_out(self) -> None:
        source = catalog(
            r={"backends": {"a": {}, "e": {"weight": 99}}, "fallback": {"b": {}}, "shadow": {"e": {"percent": 100}}}
        )
        assert {tuple(asked(resolve(source, "r"))) for _ in range(50)} == {("a", "b")}
        assert {tuple(asked(resolve(source, "r", api=EMBEDDINGS))) for _ in range(50)} == {("e",)}
        assert resolve(source, "r").shadows == ()
        assert {asked(resolve(source, "r", api=TOKENIZE))[0] for _ in range(500)} == {"a", "e"}

    def test_a_backend_that_fits_but_has_no_weight(self) -> None:
        source = catalog(r={"backends": {"a": {"weight": 0}, "e": {}}, "fallback": {"b": {}}})
        assert refusal(source, "r")[:2] == (400, "model_not_supported")

    def test_targets_are_all_pairs_that_can_occur(self) -> None:
        routes: dict[str, Any] = {
            "r": {
                "backends": {"hidden": {}, "b": {"weight": 0}},
                "fallback": {"gpt": {}},
                "shadow": {"c": {"percent": 1}},
            }
        }
        pairs = [(target.model, target.route) for target in catalog(**routes).targets()]
        direct = [("a", ""), ("b", ""), ("c", ""), ("e", ""), ("gpt", "")]
        assert pairs == [*direct, ("hidden", "r"), ("gpt", "r")]


class TestSticky:
    def route(self, seed: int = 1, **sticky: Any) -> Catalog:
        return catalog(seed=seed, r={"backends": BACKENDS, "sticky": sticky})

    @pytest.mark.parametrize(
        ("sticky", "request_of"),
        [
            ({"by": "header", "header": "X-Session"}, lambda value: {"x_session": value}),
            ({"by": "user"}, lambda value: {"user": value}),
            ({"by": "key"}, lambda value: {"caller": Caller(key=value)}),
            ({"by": "key"}, lambda value: {"caller": Caller(key="oidc", subject=value)}),
        ],
    )
    def test_a_value_stays_at_its_backend(self, sticky: dict[str, str], request_of: Any) -> None:
        one, other = self.route(1, **sticky), self.route(2, **sticky)
        counts: Counter[str] = Counter()
        for number in range(300):
            more = request_of(f"client-{number}")
            chosen = {asked(resolve(source, "r", **more))[0] for source in (one, other) for _ in range(3)}
            assert len(chosen) == 1
            counts.update(chosen)
        assert abs(counts["a"] - 150) < 4 * (300 * 0.25) ** 0.5

    @pytest.mark.parametrize("sticky", [{"by": "header", "header": "x-session"}, {"by": "user"}, {"by": "key"}])
    def test_without_the_value_it_is_drawn(self, sticky: dict[str, Any]) -> None:
        source = self.route(**sticky)
        counts = Counter(asked(resolve(source, "r"))[0] for _ in range(2000))
        assert abs(counts["a"] - 1000) < 4 * (2000 * 0.25) ** 0.5

    def test_a_backend_that_does_not_fit_moves_nobody_else(self) -> None:
        source = catalog(r={"backends": BACKENDS | {"e": {"weight": 50}}, "sticky": {"by": "user"}})
        same = self.route(by="user")
        for number in range(100):
            assert asked(resolve(source, "r", user=f"u{number}")) == asked(resolve(same, "r", user=f"u{number}"))


class TestMatches:
    @pytest.mark.parametrize(
        ("more", "backend"),
        [
            ({}, "a"),
            ({"x_beta": "yes"}, "b"),
            ({"x_beta": "Yes"}, "a"),
            ({"x_beta": "yes", "caller": KEYED}, "b"),
            ({"x_beta": "yes", "x_more": "1", "caller": KEYED}, "hidden"),
            ({"x_beta": "yes", "x_more": "1"}, "b"),
            ({"caller": Caller(key="k", team="blue")}, "c"),
            ({"caller": Caller(key="k", team="green")}, "a"),
        ],
    )
    def test_the_first_that_is_met_counts(self, more: dict[str, Any], backend: str) -> None:
        assert asked(resolve(catalog(r=MATCHED), "r", **more)) == [backend, "gpt"]

    def test_equal_order_goes_by_name(self) -> None:
        matches = {name: {"teams": ["red"], "backends": {name: {}}} for name in ("c", "b")}
        assert asked(resolve(catalog(r={"backends": {"a": {}}, "matches": matches}), "r", KEYED)) == ["b"]

    def test_one_without_a_fitting_backend_does_not_count(self) -> None:
        source = catalog(r={"backends": {"a": {}}, "matches": {"m": {"teams": ["red"], "backends": {"e": {}}}}})
        assert asked(resolve(source, "r", KEYED)) == ["a"]
        assert asked(resolve(source, "r", KEYED, api=EMBEDDINGS)) == ["e"]
        message = "The model 'r' is for generate, which does not answer embeddings. Models that do: e."
        assert refusal(source, "r", api=EMBEDDINGS) == (400, "model_not_supported", message)

    def test_a_user_stays_where_a_match_has_the_same_backends(self) -> None:
        route = {"backends": {"a": {}, "b": {}}, "sticky": {"by": "user"}}
        source = catalog(r=route | {"matches": {"m": {"teams": ["red"], "backends": {"a": {}, "b": {}}}}})
        for number in range(100):
            assert asked(resolve(source, "r", user=f"u{number}")) == asked(resolve(source, "r", KEYED, f"u{number}"))


class TestShadows:
    def test_each_is_drawn_by_its_percentage(self) -> None:
        shadows = {
            "b": {"percent": 20.0},
            "c": {"percent": 50.0},
            "gpt": {"percent": 100.0},
            "hidden": {"percent": 0.0},
        }
        source = catalog(r={"backends": {"a": {}}, "shadow": shadows})
        drawn = [frozenset(target.model for target in resolve(source, "r").shadows) for _ in range(5000)]
        counts = Counter(model for models in drawn for model in models)
        assert counts["gpt"] == 5000
        assert "hidden" not in counts
        for model, share in (("b", 0.2), ("c", 0.5)):
            assert abs(counts[model] - 5000 * share) < 4 * (5000 * share * (1 - share)) ** 0.5
        both = sum({"b", "c"} <= models for models in drawn)
        assert abs(both - 500) < 4 * (5000 * 0.1 * 0.9) ** 0.5  # independently

    def test_not_for_the_model_that_answers(self) -> None:
        source = catalog(r={"backends": {"a": {}, "b": {}}, "shadow": {"b": {"percent": 100}}})
        plans = [resolve(source, "r") for _ in range(100)]
        assert {(asked(plan)[0], *[target.model for target in plan.shadows]) for plan in plans} == {("a", "b"), ("b",)}
        assert plans[0].shadows == () or plans[0].shadows[0].route == "r"
