"""An agent's args: what cannot work is one sentence that begins with its id."""

from typing import Any

import pytest

from serve_app.settings.agent import AgentSettings
from serve_app.settings.errors import SettingsError

from .pipelines.agent.support import args

HTTP = {"url": "https://api.example.com/orders/{id}", "description": "An order."}
PARAMETERS = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}


def test_args_survive_the_way_to_a_replica() -> None:
    given = args(
        tools={
            "mcp": {
                "crm": {"url": "http://crm:80/mcp", "headers": {"authorization": {"file": "/a", "prefix": "Bearer "}}}
            },
            "http": {"order": HTTP | {"parameters": PARAMETERS}},
        },
        classify="small",
        branches={"orders": {"when": "orders", "tools": ["order"]}},
    )
    settings = AgentSettings.parse(given)
    assert AgentSettings.parse(settings.model_dump(exclude_defaults=True) | {"kind": "agent"}) == settings


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"instruction": "Help."}, "pipeline 'helper': instruction is not a setting; did you mean instructions?"),
        ({"tools": {"mcp": {"crm": {"url": "crm/mcp"}}}}, "tools.mcp.crm.url: string should match pattern"),
        ({"tools": {"http": {"order": HTTP}}}, "url has a place for id, which parameters.required does not name"),
        ({"tools": {"http": {"order": HTTP | {"parameters": {}}}}}, "parameters is no JSON schema of an object"),
        ({"tools": {"http": {"an order": HTTP}}}, "tools.http.an order"),
        ({"limits": {"steps": 0}}, "limits.steps: input should be greater than or equal to 1"),
        ({"branches": {"a": {"when": "a"}}}, "branches is set, but nothing chooses one, name a model in classify"),
        ({"classify": "m", "branches": {"other": {"when": "a"}}}, "branches.other is what the classifier says"),
        ({"classify": "m", "branches": {"a": {"when": "a", "tools": ["b"]}}}, "branches.a.tools names 'b'"),
    ],
)
def test_refusals(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        AgentSettings.parse(args(**changed))
    assert says in str(caught.value)
