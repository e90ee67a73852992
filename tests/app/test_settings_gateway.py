from typing import Any, get_args

import pytest
import yaml
from pydantic import ValidationError

from serve_app.gateway.api.table import APIS, Api
from serve_app.settings.gateway import ApiName, GatewayConfig, Key, Task, explain

FULL: dict[str, Any] = {
    "models": {"sparrow": {"url": "http://demo-serve-svc.llm.svc:8000/models/sparrow/", "ownedBy": "birds"}},
    "routes": {"chat": {"backends": {"sparrow": {}}}},
    "limits": {"maxBodyBytes": 10485760},
    "timeouts": {"connectSeconds": 5, "firstByteSeconds": 600, "idleSeconds": 600},
    "retry": {"windowSeconds": 60},
}


def test_all_keys() -> None:
    config = GatewayConfig.model_validate(FULL)
    assert config.models["sparrow"].url == "http://demo-serve-svc.llm.svc:8000/models/sparrow"
    assert config.models["sparrow"].owned_by == "birds"
    assert config.routes["chat"].backends["sparrow"].weight == 1


def test_only_models_are_needed() -> None:
    config = GatewayConfig.model_validate({"models": {"a": {"url": "https://h"}}})
    assert config.limits.max_body_bytes == 10 * 1024 * 1024
    assert (config.timeouts.connect_seconds, config.timeouts.first_byte_seconds, config.timeouts.idle_seconds) == (
        5,
        600,
        600,
    )
    assert config.retry.window_seconds == 60
    assert GatewayConfig.model_validate({"models": {}}).models == {}


def test_it_cannot_be_changed() -> None:
    config = GatewayConfig.model_validate(FULL)
    with pytest.raises(ValidationError):
        setattr(config.limits, "max_body_bytes", 1)  # noqa: B010  # mypy refuses the plain way


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"models": None}, "models is None: input should be a valid dictionary"),
        ({"model": {}}, "has the unknown key 'model', use one of: models, routes, teams, oidc, redis, data, limits"),
        ({"models": {"a": {}}, "routes": {}}, "models.a needs one of url and baseUrl, set one and leave out the other"),
        (
            {"models": {"a": {"url": "h:8000"}}, "routes": {}},
            "models.a.url is 'h:8000', write it as http://HOST:PORT/PATH",
        ),
        ({"models": {"a": {"url": "ftp://h"}}, "routes": {}}, "models.a.url is 'ftp://h', write it as"),
        ({"models": {"a": {"url": "http://h?x=1"}}, "routes": {}}, "models.a.url is 'http://h?x=1', write it as"),
        ({"models": {"a": {"uri": "http://h"}}}, "models.a has the unknown key 'uri', use one of: url, baseUrl, query"),
        ({"models": {"": {"url": "http://h"}}}, "models. is '': string should have at least 1 character"),
        ({"routes": {"sparrow": {"backends": {"sparrow": {}}}}}, "routes.sparrow has the name of a model, rename"),
        (
            {"routes": {"x": {"backends": {"owl": {}}}}},
            "routes.x.backends.owl is no model, use a key of models",
        ),
        ({"routes": {"x": {"backends": {}}}}, "routes.x.backends has no backend with a weight above 0"),
        ({"routes": {"x": {"backends": {"sparrow": {"weight": 0}}}}}, "routes.x.backends has no backend with a weight"),
        (
            {"routes": {"x": {"backends": {"sparrow": {"wait": 1}}}}},
            "routes.x.backends.sparrow has the unknown key 'wait', use one of: weight",
        ),
        ({"limits": {"maxBodyBytes": 0}}, "limits.maxBodyBytes is 0: input should be greater than or equal to 1"),
        ({"limits": {"maxBodyBytes": "10Mi"}}, "limits.maxBodyBytes is '10Mi': input should be a valid integer"),
        ({"limits": {"max_body_bytes": 1}}, "limits has the unknown key 'max_body_bytes', use one of: maxBodyBytes"),
        ({"timeouts": {"idleSeconds": -1}}, "timeouts.idleSeconds is -1: input should be greater than 0"),
        ({"retry": {"windowSeconds": -1}}, "retry.windowSeconds is -1: input should be greater than or equal to 0"),
        ({"retry": {"windowSeconds": True}}, "retry.windowSeconds is True: input should be a valid number"),
    ],
)
def test_refusals_name_the_key_and_the_remedy(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        GatewayConfig.model_validate(FULL | change)
    assert explain(refused.value).startswith(sentence)


def test_further_refusals_are_counted() -> None:
    with pytest.raises(ValidationError) as refused:
        GatewayConfig.model_validate({"models": {"a": {}, "b": {}}})
    assert (
        explain(refused.value) == "models.a needs one of url and baseUrl, set one and leave out the other (and 1 more)"
    )


def test_a_provider_has_a_base_url_query_headers_and_fields() -> None:
    model = GatewayConfig.model_validate(
        {
            "models": {
                "g": {
                    "baseUrl": "https://g.example/v1beta/openai/",
                    "query": {"api-version": "2024-10-21"},
                    "headers": {"x-title": "stack"},
                    "apiKeyHeader": "api-key",
                    "apis": ["chat_completions"],
                    "fields": {"top_k": "", "max_tokens": "max_completion_tokens"},
                    "external": True,
                }
            }
        }
    ).models["g"]
    assert model.base_url == "https://g.example/v1beta/openai"
    assert model.apis == ["chat_completions"]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({}, "models.a needs one of url and baseUrl, set one and leave out the other"),
        ({"url": "http://h", "baseUrl": "http://h/v1"}, "models.a needs one of url and baseUrl"),
        ({"url": "http://h", "headers": {"Host": "x"}}, "models.a.headers has 'Host', which the gateway sets itself"),
        (
            {"url": "http://h", "headers": {"x": "a\r\nb: c"}},
            "models.a.headers.x is 'a\\r\\nb: c': string should match",
        ),
        ({"url": "http://h", "apis": ["chat"]}, "models.a.apis.0 is 'chat': input should be 'chat_completions', "),
        ({"url": "http://h", "apis": []}, "models.a.apis is []: list should have at least 1 item"),
        (
            {"url": "http://h", "apis": ["chat_completions", "embeddings"]},
            "models.a has the API 'embeddings' in apis, but task is 'generate', use some of: chat_completions, comp",
        ),
        ({"url": "http://h:99999"}, "models.a.url is 'http://h:99999', write it as http://HOST:PORT/PATH"),
        ({"url": "http://[::1"}, "models.a.url is 'http://[::1', write it as"),
        ({"url": "http://u:secret@h"}, "models.a.url is 'http://...@h', write it as"),
        ({"url": "http://h/a\r\nx: y"}, "models.a.url is 'http://h/a\\r\\nx: y', write it as"),
        (
            {"baseUrl": "https://h/v1/chat/completions/"},
            "models.a.baseUrl ends with /chat/completions, which the gateway adds itself, leave that part out",
        ),
        ({"url": "http://h", "headers": {"TE": "trailers"}}, "models.a.headers has 'TE', which the gateway sets"),
        ({"url": "http://h", "headers": {"a b": "x"}}, "models.a.headers.a b is 'a b': string should match"),
        ({"url": "http://h", "headers": {"A": "x", "a": "y"}}, "models.a.headers has a name twice, apart from upper"),
        ({"url": "http://h", "apiKeyHeader": "Host"}, "models.a.apiKeyHeader is 'Host', which the gateway sets itself"),
        (
            {"url": "http://h", "apiKeyFile": "/k", "apiKeyHeader": "Api-Key", "headers": {"api-key": "x"}},
            "models.a has the header 'Api-Key' twice, leave it out of headers",
        ),
        ({"url": "http://h", "fields": {"stream": ""}}, "models.a.fields has 'stream', which decides how the answer"),
        ({"url": "http://h", "fields": {"top_k": None}}, "models.a.fields.top_k is None: input should be a valid str"),
        ({"url": "http://h", "query": {"v": 1}}, "models.a.query.v is 1: input should be a valid string"),
    ],
)
def test_what_a_model_cannot_be(entry: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        GatewayConfig.model_validate({"models": {"a": entry}})
    assert explain(refused.value).startswith(sentence)


def test_origins_are_origins() -> None:
    GatewayConfig.model_validate({"models": {}, "cors": {"origins": ["*", "https://ui.example.com:8443"]}})
    with pytest.raises(ValidationError) as refused:
        GatewayConfig.model_validate({"models": {}, "cors": {"origins": ["https://ui.example.com/app"]}})
    assert explain(refused.value) == (
        "cors.origins has 'https://ui.example.com/app', write it as https://HOST or https://HOST:PORT, without a path"
    )


HASH = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("value", "expires"),
    [
        ("2027-01-31", "2027-01-31T00:00:00+00:00"),
        ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00+00:00"),
        ("2027-01-31T12:00:00+02:00", "2027-01-31T12:00:00+02:00"),
        (yaml.safe_load("2027-01-31"), "2027-01-31T00:00:00+00:00"),
        (yaml.safe_load("2027-01-31T12:00:00Z"), "2027-01-31T12:00:00+00:00"),
        (None, None),
    ],
)
def test_a_key_expires(value: object, expires: str | None) -> None:
    key = Key.model_validate({"hash": HASH, "expires": value, "previousHash": HASH})
    assert (key.expires and key.expires.isoformat()) == expires


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("2026-13-45", "expires is '2026-13-45', write a time as 2027-01-31T12:00:00Z or a date as 2027-01-31"),
        ("2027-01-31T12:00:00", "expires is '2027-01-31T12:00:00', write a time as"),
        ("soon", "expires is 'soon', write a time as"),
        ("2027-01-31T24:30:00Z", "expires is '2027-01-31T24:30:00Z', write a time as"),
        ("", "expires is '', write a time as"),
        (1801526400, "expires is '1801526400', write a time as"),
        (yaml.safe_load("2027-01-31 12:00:00"), "expires is '2027-01-31 12:00:00', write a time as"),
    ],
)
def test_times_that_are_none(value: object, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Key.model_validate({"hash": HASH, "expires": value})
    assert explain(refused.value).startswith(sentence)


def test_the_names_of_apis_are_those_of_the_gateway() -> None:
    assert set(get_args(ApiName)) == {api.name for api in APIS.values()}


@pytest.mark.parametrize("api", set(APIS.values()), ids=lambda api: api.name)
@pytest.mark.parametrize("task", get_args(Task))
def test_a_model_may_name_the_apis_of_its_task(api: Api, task: Task) -> None:
    entry = {"models": {"a": {"url": "http://h", "task": task, "apis": [api.name]}}}
    if task in api.tasks:
        assert GatewayConfig.model_validate(entry).models["a"].apis == [api.name]
    else:
        with pytest.raises(ValidationError, match=f"has the API '{api.name}' in apis, but task is '{task}'"):
            GatewayConfig.model_validate(entry)


@pytest.mark.parametrize("field", ["hash", "previousHash"])
def test_a_hash_is_a_hash(field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Key.model_validate({"hash": HASH, field: "sk-secret"})
    assert explain(refused.value).startswith(f"{field} is no sha256:<64 hexadecimal digits>, make the entry with")


@pytest.mark.parametrize("cost", [0, -1, float("nan"), float("inf")])
def test_a_month_costs_something(cost: float) -> None:
    with pytest.raises(ValidationError) as refused:
        GatewayConfig.model_validate({"models": {}, "teams": {"t": {"monthlyCost": cost}}})
    assert explain(refused.value).startswith("teams.t.monthlyCost is ")
