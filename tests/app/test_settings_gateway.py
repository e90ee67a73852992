from typing import Any

import pytest
from pydantic import ValidationError

from serve_app.settings.gateway import GatewayConfig, explain

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
        config.limits.max_body_bytes = 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"models": None}, "models is None: input should be a valid dictionary"),
        ({"model": {}}, "has the unknown key 'model', use one of: models, routes, teams, oidc, redis, limits"),
        ({"models": {"a": {}}, "routes": {}}, "models.a.url is missing, add it"),
        (
            {"models": {"a": {"url": "h:8000"}}, "routes": {}},
            "models.a.url is 'h:8000', write it as http://HOST:PORT/PATH",
        ),
        ({"models": {"a": {"url": "ftp://h"}}, "routes": {}}, "models.a.url is 'ftp://h', write it as"),
        ({"models": {"a": {"url": "http://h?x=1"}}, "routes": {}}, "models.a.url is 'http://h?x=1', write it as"),
        ({"models": {"a": {"uri": "http://h"}}}, "models.a has the unknown key 'uri', use one of: url, task, ownedBy"),
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
    assert explain(refused.value) == "models.a.url is missing, add it (and 1 more)"
