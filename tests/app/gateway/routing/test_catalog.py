from collections import Counter
from random import Random
from typing import Any

import pytest

from serve_app.gateway.access.caller import ANYBODY, Caller
from serve_app.gateway.apis.errors import ApiError
from serve_app.gateway.apis.table import APIS
from serve_app.gateway.routing.catalog import Catalog
from serve_app.gateway.routing.plan import Plan
from serve_app.settings.gateway import GatewayConfig, Policy

CHAT = APIS["/v1/chat/completions"]
EMBEDDINGS = APIS["/v1/embeddings"]
TOKENIZE = APIS["/tokenize"]

MODELS: dict[str, Any] = {
    "a": {"url": "http://h/models/a", "adapters": ["a-sql"]},
    "b": {"url": "http://h/models/b/"},
    "c": {"url": "http://h/models/c"},
    "e": {"url": "http://h/models/e", "task": "embed"},
    "hidden": {"url": "http://h/models/hidden", "private": True, "adapters": ["hidden-sql"]},
    "gpt": {"url": "https://api.example.com", "upstreamModel": "gpt-5", "apiKeyFile": "/etc/keys/example"},
}
KEYED = Caller(key="k1", team="red")
BACKENDS = {"a": {"weight": 2}, "b": {"weight": 1}, "c": {"weight": 1}}
MATCHED: dict[str, Any] = {
    "backends": {"a": {}},
    "matches": {
        "late": {"order": 2, "teams": ["red", "blue"], "backends": {"c": {}}},
        "beta": {"order": 1, "headers": {"X-Beta": "yes"}, "backends": {"b": {}}},
        "both": {
            "order": 0,
            "headers": {"x-beta": "yes", "x-more": "1"},
            "teams": ["red"],
            "backends": {"hidden": {}},
        },
    },
    "fallback": {"gpt": {}},
}


def catalog(models: dict[str, Any] | None = None, seed: int = 1, **routes: Any) -> Catalog:
    config = {"models": models or MODELS, "routes": routes, "teams": {"red": {}, "blue": {}}}
    return Catalog(GatewayConfig.model_validate(config), 1_800_000_000, Random(seed))  # noqa: S311  # nothing secret


def resolve(
    source: Catalog, name: str, caller: Caller = ANYBODY, user: str = "", api: Any = CHAT, **headers: str
) -> Plan:
    sent = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return source.resolve(name, api, caller, sent, user)


def asked(plan: Plan) -> list[str]:
    return [target.model for target in plan.targets]


def refusal(source: Catalog, name: str, **more: Any) -> tuple[int, str | None, str]:
    with pytest.raises(ApiError) as caught:
        resolve(source, name, **more)
    assert caught.value.param == "model"
    return caught.value.status, caught.value.code, caught.value.message


def only(*names: str) -> Caller:
    return Caller(key="k", policies=(("team/t", Policy()), ("key/k", Policy(models=list(names)))))


class TestModels:
    def test_a_model(self) -> None:
        plan = resolve(catalog(), "b")
        target = plan.targets[0]
        assert (plan.name, plan.route, asked(plan), plan.shadows) == ("b", "", ["b"], ())
        assert (target.model, target.route, target.upstream_model) == ("b", "", "b")
        assert str(target.urls["/v1/chat/completions"]) == "http://h/models/b/v1/chat/completions"
        assert set(target.urls) == set(APIS)

    def test_its_plan_is_made_once(self) -> None:
        source = catalog()
        assert resolve(source, "a") is resolve(source, "a", KEYED, "u")

    def test_an_adapter(self) -> None:
        plan = resolve(catalog(), "a-sql")
        target = plan.targets[0]
        assert (plan.name, target.model, target.upstream_model) == ("a-sql", "a", "a-sql")
        assert str(target.urls["/v1/chat/completions"]) == "http://h/models/a/v1/chat/completions"

    def test_a_providers_model(self) -> None:
        target = resolve(catalog(), "gpt").targets[0]
        assert (target.model, target.upstream_model, target.entry.api_key_file) == ("gpt", "gpt-5", "/etc/keys/example")
        assert str(target.urls["/v1/chat/completions"]) == "https://api.example.com/v1/chat/completions"

    def test_an_unknown_name(self) -> None:
        message = "The model 'x' does not exist. Models to use for chat_completions: a, a-sql, b, c, gpt, r."
        source = catalog(r={"backends": {"hidden": {}}}, embeddings={"backends": {"e": {}}})
        assert refusal(source, "x") == (404, "model_not_found", message)
        message = "The model 'x' does not exist. Models to use for embeddings: e."
        assert refusal(source, "x", caller=only("a", "e"), api=EMBEDDINGS) == (404, "model_not_found", message)
        message = "The model 'x' does not exist. Models to use for embeddings: none."
        assert refusal(source, "x", caller=only("a"), api=EMBEDDINGS) == (404, "model_not_found", message)
        assert len(refusal(source, "x" * 10_000)[2]) < 400

    @pytest.mark.parametrize("name", ["hidden", "hidden-sql"])
    def test_a_private_model_is_as_unknown(self, name: str) -> None:
        source = catalog()
        assert refusal(source, name) == tuple(
            text.replace("'x'", repr(name)) if isinstance(text, str) else text for text in refusal(source, "x")
        )
        assert refusal(source, name, caller=only(name))[:2] == (404, "model_not_found")
        assert name not in list(source)

    def test_a_name_that_the_caller_may_not_use(self) -> None:
        source = catalog(r={"backends": {"b": {}}})
        message = "This key or token may not use the model 'a'. Models to use for chat_completions: c, r."
        assert refusal(source, "a", caller=only("r", "c", "e")) == (403, "model_not_allowed", message)
        assert refusal(source, "a-sql", caller=only("a"))[0] == 403
        assert asked(resolve(source, "r", only("r"))) == ["b"]  # its backend need not be allowed

    def test_every_policy_has_to_allow_it(self) -> None:
        caller = Caller(policies=(("team/t", Policy(models=["a"])), ("key/k", Policy(models=["a", "b"]))))
        assert asked(resolve(catalog(), "a", caller)) == ["a"]
        message = "This key or token may not use the model 'b'. Models to use for chat_completions: a."
        assert refusal(catalog(), "b", caller=caller) == (403, "model_not_allowed", message)

    def test_a_task_that_does_not_fit(self) -> None:
        source = catalog(r={"backends": {"e": {}}})
        message = "The model 'e' is for embed, which does not answer chat_completions. Models that do: a, c."
        assert refusal(source, "e", caller=only("a", "c", "e")) == (400, "model_not_supported", message)
        message = "The model 'r' is for embed, which does not answer chat_completions. Models that do: none."
        assert refusal(source, "r", caller=only("r")) == (400, "model_not_supported", message)
        assert asked(resolve(source, "r", api=EMBEDDINGS)) == ["e"]
        assert asked(resolve(source, "e", api=TOKENIZE)) == ["e"]

    def test_long_lists_are_cut(self) -> None:
        source = catalog({f"m{number:02}": {"url": "http://h"} for number in range(25)})
        assert refusal(source, "x")[2].endswith("m18, m19, and 5 more.")

    def test_a_name_alone(self) -> None:
        source = catalog()
        source.check("a", only("a"))
        with pytest.raises(ApiError, match=r"may not use the model 'b'\. Models to use: a, e\."):
            source.check("b", only("a", "e"))
        with pytest.raises(ApiError, match="'hidden' does not exist"):
            source.check("hidden", ANYBODY)


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
        routes = {
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
    def route(self, seed: int = 1, **sticky: str) -> Catalog:
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
    def test_without_the_value_it_is_drawn(self, sticky: dict[str, str]) -> None:
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
