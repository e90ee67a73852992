from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx
import openai
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serve_app.gateway.api.errors import ApiError
from serve_app.gateway.exchange.caller import ANYBODY, Caller
from serve_app.gateway.management import models
from serve_app.gateway.routing.catalog import Catalog
from serve_app.settings.gateway import GatewayConfig, Policy

from ..support import KEY, Gateway, error_of

CREATED = 1_800_000_000
ANTHROPIC = {"anthropic-version": "2023-06-01"}
CONFIG = {
    "models": {
        "a": {"url": "http://h/a", "ownedBy": "team", "contextLength": 4096, "adapters": ["a-sql"]},
        "b": {"url": "http://h/b", "contextLength": 2048},
        "e": {"url": "http://h/e", "task": "embed", "contextLength": 512},
        "hidden": {"url": "http://h/hidden", "private": True, "adapters": ["hidden-sql"]},
    },
    "routes": {
        "chat": {"backends": {"a": {"weight": 9}, "b": {"weight": 1}, "e": {"weight": 0}}},
        "secret": {"backends": {"hidden": {}, "a": {}}},
        "any": {"backends": {"a": {}}, "matches": {"m": {"teams": ["red"], "backends": {"e": {}}}}},
    },
    "teams": {"red": {}},
}


@dataclass
class Served:
    """The two routes on their own; the caller is what the front would put into the scope."""

    client: httpx.AsyncClient
    state: dict[str, Any] = field(default_factory=dict)

    async def get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return (await self.client.get(path, headers=headers)).json()

    async def ids(self, headers: dict[str, str] | None = None) -> list[str]:
        return [card["id"] for card in (await self.get("/v1/models", headers))["data"]]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    catalog = Catalog(GatewayConfig.model_validate(CONFIG), CREATED)
    app = FastAPI()
    app.include_router(models.router(lambda: catalog))

    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> Response:
        return Response(error.body(), error.status, media_type="application/json")

    state: dict[str, Any] = {}

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": state}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://gateway") as client:
        yield Served(client, state)


def caller(*names: str) -> Caller:
    return Caller(key="k", policies=(("key/k", Policy(models=list(names))),))


async def test_models_adapters_and_routes(served: Served) -> None:
    content = await served.get("/v1/models")
    assert content["object"] == "list"
    by_id = {card["id"]: card for card in content["data"]}
    assert list(by_id) == ["a", "a-sql", "b", "e", "chat", "secret", "any"]
    assert by_id["a"] == {
        "id": "a",
        "object": "model",
        "created": CREATED,
        "owned_by": "team",
        "root": "a",
        "parent": None,
        "task": "generate",
        "max_model_len": 4096,
        "context_length": 4096,
        "backends": None,
    }
    assert by_id["a-sql"] == by_id["a"] | {"id": "a-sql", "parent": "a"}
    assert (by_id["e"]["task"], by_id["e"]["owned_by"]) == ("embed", "ray-vllm-stack")
    assert by_id["chat"] == by_id["a"] | {
        "id": "chat",
        "root": "chat",
        "max_model_len": 2048,  # fits whichever backend answers
        "context_length": 2048,
        "backends": ["a", "b"],
    }


async def test_what_is_private_is_named_nowhere(served: Served) -> None:
    response = await served.client.get("/v1/models")
    assert "hidden" not in response.text
    secret = await served.get("/v1/models/secret")
    assert (secret["backends"], secret["max_model_len"]) == (["a"], None)
    for name in ("hidden", "hidden-sql"):
        response = await served.client.get(f"/v1/models/{name}")
        assert response.status_code == 404
        assert response.text.count("hidden") == 1  # the name that was asked for


async def test_a_route_to_models_of_several_tasks(served: Served) -> None:
    card = await served.get("/v1/models/any")
    assert (card["task"], card["max_model_len"], card["backends"]) == (None, 512, ["a", "e"])


async def test_a_caller_sees_what_it_may_use(served: Served) -> None:
    served.state["caller"] = caller("chat", "b", "hidden")
    assert await served.ids() == ["b", "chat"]
    assert (await served.get("/v1/models/chat"))["backends"] == ["b"]
    response = await served.client.get("/v1/models/a")
    assert response.status_code == 403
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("model_not_allowed", "model")
    assert error["message"] == "This key or token may not use the model 'a'. Models to use: b, chat."


async def test_without_a_caller_everything_is_listed(served: Served) -> None:
    everything = await served.ids()
    served.state["caller"] = ANYBODY
    assert await served.ids() == everything


async def test_in_the_shape_of_anthropics_clients(served: Served) -> None:
    content = await served.get("/v1/models", ANTHROPIC)
    assert [model["id"] for model in content["data"]] == ["a", "a-sql", "b", "chat", "secret", "any"]  # no embeddings
    assert content["data"][0] == {
        "type": "model",
        "id": "a",
        "display_name": "a",
        "created_at": "2027-01-15T08:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": 4096,
    }
    assert (content["has_more"], content["first_id"], content["last_id"]) == (False, "a", "any")
    assert await served.get("/v1/models/a", ANTHROPIC) == content["data"][0]
    served.state["caller"] = caller()
    assert await served.get("/v1/models", ANTHROPIC) == {
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ("limit=2", ["a", "a-sql"], True),
        ("limit=2&after_id=a-sql", ["b", "chat"], True),
        ("limit=2&after_id=chat", ["secret", "any"], False),
        ("after_id=any", [], False),
        ("limit=2&before_id=chat", ["a-sql", "b"], True),
        ("limit=2&before_id=b", ["a", "a-sql"], False),
        ("limit=6", ["a", "a-sql", "b", "chat", "secret", "any"], False),
    ],
)
async def test_pages_of_anthropics_list(served: Served, query: str, ids: list[str], more: bool) -> None:
    content = await served.get(f"/v1/models?{query}", ANTHROPIC)
    assert [model["id"] for model in content["data"]] == ids
    assert content["has_more"] is more
    assert (content["first_id"], content["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit=٣", "after_id=e", "before_id=x"]
)
async def test_pages_that_there_are_not(served: Served, query: str) -> None:
    response = await served.client.get(f"/v1/models?{query}", headers=ANTHROPIC)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == query.partition("=")[0]


async def test_through_the_gateway(gateway: Gateway) -> None:
    async with gateway.get("/v1/models") as response:
        content = await response.json()
    assert [card["id"] for card in content["data"]] == ["a", "b", "chat"]
    assert content["data"][0]["created"] > 1_700_000_000
    async with gateway.get("/v1/models/chat") as response:
        assert (await response.json())["id"] == "chat"
    async with gateway.get("/v1/models/org/nix") as response:
        assert response.status == 404
        error = await error_of(response)
    assert (error["code"], "'org/nix'" in error["message"]) == ("model_not_found", True)


async def test_with_the_clients_that_people_use(gateway: Gateway) -> None:
    async with openai.AsyncOpenAI(base_url=gateway.url + "/v1", api_key=KEY, max_retries=0) as client:
        assert [model.id async for model in client.models.list()] == ["a", "b", "chat"]
        assert (await client.models.retrieve("chat")).owned_by == "team"
    async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=KEY, max_retries=0) as other:
        assert [model.id async for model in other.models.list(limit=2)] == ["a", "b", "chat"]  # two pages
        assert (await other.models.retrieve("b")).display_name == "b"
        with pytest.raises(anthropic.NotFoundError, match="The model 'x' does not exist"):
            await other.models.retrieve("x")
