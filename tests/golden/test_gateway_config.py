"""What the chart tells the gateway is what the gateway takes, for the files of values/ and for all keys at once."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from serve_app.settings import gateway
from serve_app.settings.gateway import GatewayConfig
from tests.golden.rendering import VALUES, golden, render

DEMO = next(values for values in VALUES if values.stem == "cpu-demo")


def documents(rendered: str, kind: str, name: str) -> dict[str, Any]:
    """The object of a kind whose name ends so."""
    (found,) = (
        each
        for each in yaml.safe_load_all(rendered)
        if each["kind"] == kind and each["metadata"]["name"].endswith(name)
    )
    return dict(found)


def config(rendered: str) -> GatewayConfig:
    """The gateway's configuration, as the gateway reads it.

    Raises:
        ValidationError: the gateway would refuse it.
    """
    text = documents(rendered, "ConfigMap", "-gateway")["data"]["gateway.yaml"]
    return GatewayConfig.model_validate(yaml.safe_load(text))


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_is_what_the_gateway_takes(values: Path) -> None:
    assert config(golden(values).read_text()).models


EVERYTHING: dict[str, Any] = {
    "models": {
        "sparrow": {"private": True, "price": {"promptPerMillion": 1, "cachedPerMillion": 0.5}},
        "owl": {
            "price": {"completionPerMillion": 2},
            "replicas": {"min": 0},
            "engine": {"enable_lora": True},
            "adapters": {"sql": {"source": "pvc://lora/sql"}},
        },
    },
    "routes": {
        "chat": {
            "backends": {"sparrow": {"weight": 9}, "owl": {"weight": 1}},
            "sticky": {"by": "header", "header": "x-session"},
            "matches": {"beta": {"order": 1, "headers": {"x-beta": "1"}, "teams": ["search"], "backends": {"owl": {}}}},
            "shadow": {"owl": {"percent": 5}},
            "fallback": {"far": {"order": 1}},
            "answerModel": "route",
        }
    },
    "providers": {
        "far": {
            "baseUrl": "https://api.example.com/v1",
            "model": "large",
            "apiKey": {"existingSecret": "far"},
            "query": {"api-version": "1"},
            "headers": {"x-title": "stack"},
            "fields": {"top_k": ""},
        }
    },
    "auth": {
        "teams": {
            "search": {
                "models": ["chat"],
                "requestsPerMinute": 1,
                "tokensPerMinute": 1,
                "concurrentRequests": 1,
                "monthlyTokens": 1,
                "monthlyCost": 1,
                "priority": "low",
            }
        },
        "oidc": {"enabled": True, "issuer": "https://idp.example.com", "audience": "llm"},
    },
    "gateway": {"redis": {"enabled": True}},
    "data": {"enabled": True},
}


def sections(section: BaseModel) -> Iterator[BaseModel]:
    """A section and all below it."""
    yield section
    for value in (getattr(section, name) for name in type(section).model_fields):
        for below in value.values() if isinstance(value, dict) else [value]:
            if isinstance(below, BaseModel):
                yield from sections(below)


def test_values_reach_every_key_of_the_gateways_settings(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(EVERYTHING))
    said: dict[type[BaseModel], set[str]] = defaultdict(set)
    for section in sections(config(render(DEMO, "--values", str(file)))):
        said[type(section)] |= section.model_fields_set
    assert said == {section: set(section.model_fields) for section in said}
    parts = {part for name in gateway.__all__ if isinstance(part := getattr(gateway, name), type)}
    assert set(said) == parts - {gateway.Key, gateway.Policy}  # a key's entry is in a Secret


def test_gateways_defaults_are_the_charts() -> None:
    said = config(golden(DEMO).read_text())
    for name in ("timeouts", "retry", "queue", "keep_alive", "shadows", "metering", "limits", "cors", "breaker"):
        assert getattr(said, name) == type(getattr(said, name))(), name
