import pytest

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.settings.gateway import Policy

from .catalogs import EMBEDDINGS, KEYED, TOKENIZE, asked, catalog, only, refusal, resolve


class TestModels:
    def test_a_model(self) -> None:
        plan = resolve(catalog(), "b")
        target = plan.targets[0]
        assert (plan.name, plan.route, asked(plan), plan.shadows) == ("b", "", ["b"], ())
        assert (target.model, target.route, target.upstream_model) == ("b", "", "b")
        assert target.endpoints.at("/v1/chat/completions").url == b"http://h/models/b/v1/chat/completions"
        has = {path for path in APIS if path in target.endpoints}
        assert has == {path for path, api in APIS.items() if target.entry.task in api.tasks}

    def test_its_plan_is_made_once(self) -> None:
        source = catalog()
        assert resolve(source, "a") is resolve(source, "a", KEYED, "u")

    def test_an_adapter(self) -> None:
        plan = resolve(catalog(), "a-sql")
        target = plan.targets[0]
        assert (plan.name, target.model, target.upstream_model) == ("a-sql", "a", "a-sql")
        assert target.endpoints.at("/v1/chat/completions").url == b"http://h/models/a/v1/chat/completions"

    def test_a_providers_model(self) -> None:
        target = resolve(catalog(), "gpt").targets[0]
        assert (target.model, target.upstream_model, target.entry.api_key_file) == ("gpt", "gpt-5", "/etc/keys/example")
        assert target.endpoints.at("/v1/chat/completions").url == b"https://api.example.com/v1/chat/completions"

    def test_an_unknown_name(self) -> None:
        message = "The model 'x' does not exist. Models to use for chat_completions: a, a-sql, b, c, gpt, r."
        source = catalog(r={"backends": {"hidden": {}}}, embeddings={"backends": {"e": {}}})
        assert refusal(source, "x") == (404, "model_not_found", message)
        message = "The model 'x' does not exist. Models to use for embeddings: e."
        assert refusal(source, "x", caller=only("a", "e"), api=EMBEDDINGS) == (404, "model_not_found", message)
        message = "The model 'x' does not exist. Models to use for embeddings: none."
        assert refusal(source, "x", caller=only("a"), api=EMBEDDINGS) == (404, "model_not_found", message)
        assert len(refusal(source, "x" * 10_000)[2]) < 400

    def test_a_gateway_that_was_installed_first(self) -> None:
        message = "The model 'x' does not exist. This gateway has no models yet."
        assert refusal(catalog({}), "x") == (404, "model_not_found", message)

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
