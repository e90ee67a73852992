"""Catalogs to try requests on."""

from random import Random
from typing import Any

import pytest

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.api.table import APIS
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.gateway.exchange.plan import Plan
from serve_app.gateway.routing.catalog import Catalog
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
    config = {"models": MODELS if models is None else models, "routes": routes, "teams": {"red": {}, "blue": {}}}
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
