"""The chart's guards of providers are the gateway's rules: what one refuses, the other does too."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from serve_app.settings.gateway import ApiName, Model, Task
from tests.golden.rendering import VALUES, render

DEMO = next(values for values in VALUES if values.stem == "cpu-demo")
PLACE = {"baseUrl": "https://api.example.com/v1"}
HEADERS = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "openai-organization",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-request-id",
    "x-title",
]
ENTRIES: dict[str, dict[str, Any]] = {
    **{f"{task}-{api}": {"task": task, "apis": [api]} for task in get_args(Task) for api in get_args(ApiName)},
    **{f"header-{name}": {"headers": {name.title(): "x"}} for name in HEADERS},
    **{f"key-{name}": {"apiKey": {"existingSecret": "x", "header": name.title()}} for name in HEADERS},
    "endpoint-chat": {"baseUrl": "https://api.example.com/v1/chat/completions"},
    "endpoint-completions": {"baseUrl": "https://api.example.com/v1/completions/"},
    "endpoint-embeddings": {"baseUrl": "https://api.example.com/v1/embeddings"},
    "no-endpoint": {"baseUrl": "https://api.example.com/completions/v1"},
    "stream": {"fields": {"stream": ""}},
    "stream-options": {"fields": {"stream_options": ""}},
}


def refused_by_the_gateway(entry: dict[str, Any]) -> bool:
    """Whether the gateway's settings refuse a provider, as the chart passes it on."""
    model = PLACE | entry
    key = model.pop("apiKey", None)
    if key:
        model |= {"apiKeyFile": "/x", "apiKeyHeader": key["header"]}
    try:
        Model.model_validate(model)
    except ValidationError:
        return True
    return False


def test_chart_and_gateway_refuse_the_same(tmp_path: Path) -> None:
    ids = {f"p{number}": name for number, name in enumerate(ENTRIES)}
    file = tmp_path / "values.json"
    file.write_text(json.dumps({"providers": {id_: PLACE | ENTRIES[name] for id_, name in ids.items()}}))
    with pytest.raises(RuntimeError) as refused:
        render(DEMO, "--values", str(file))
    by_the_chart = {ids[id_] for id_ in re.findall(r"^ERROR: providers\.(p\d+)\.", str(refused.value), re.MULTILINE)}
    assert by_the_chart == {name for name, entry in ENTRIES.items() if refused_by_the_gateway(entry)}
    assert 40 < len(by_the_chart) < len(ENTRIES) - 30
