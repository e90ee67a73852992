"""Stored responses through a running gateway: found at the model that made them, counted once."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from ..support import FakeModel, Gateway, answer, config_for, error_of, running_gateway, until

RESPONSES = "/v1/responses"
USAGE = {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 7, "total_tokens": 12}


def response(status: str, usage: dict[str, Any] | None) -> str:
    return json.dumps({"id": "resp_1", "object": "response", "status": status, "usage": usage})


async def make(gateway: Gateway, **more: Any) -> None:
    async with gateway.post({"model": "chat", "input": "hi", **more}, path=RESPONSES) as made:
        assert made.status == 200


def completion_tokens(gateway: Gateway) -> float | None:
    labels = {"team": "", "key": "default", "model": "a", "route": "chat", "kind": "completion"}
    return gateway.value("tokens_total", **labels)


async def test_it_is_retrieved_from_its_model(gateway: Gateway, model: FakeModel) -> None:
    model.script = [answer(body=response("completed", USAGE))]
    await make(gateway)
    async with gateway.get(f"{RESPONSES}/resp_1", params={"stream": "false"}) as found:
        assert (found.status, (await found.json())["id"]) == (200, "resp_1")
    assert model.seen[1].path == "/models/a/v1/responses/resp_1"
    assert completion_tokens(gateway) == 7, "counted when it was made, not again"
    async with gateway.post(b"", path=f"{RESPONSES}/resp_1/cancel") as cancelled:
        assert cancelled.status == 200
    assert model.seen[2].path == "/models/a/v1/responses/resp_1/cancel"


async def test_an_unknown_one_is_refused_with_a_remedy(gateway: Gateway, model: FakeModel) -> None:
    async with gateway.get(f"{RESPONSES}/resp_2") as found:
        assert found.status == 404
        assert "?model=NAME" in (await error_of(found))["message"]
    assert not model.seen
    async with gateway.get(f"{RESPONSES}/resp_2", params={"model": "b"}) as found:
        assert found.status == 200
    assert model.seen[0].path == "/models/b/v1/responses/resp_2"


async def test_a_background_response_is_counted_when_it_is_retrieved_first(gateway: Gateway, model: FakeModel) -> None:
    model.script = [
        answer(body=response("queued", None)),
        answer(body=response("in_progress", None)),
        answer(body=response("completed", USAGE)),
    ]
    await make(gateway, background=True)
    for expected in (0, 7, 7):
        async with gateway.get(f"{RESPONSES}/resp_1") as found:
            assert found.status == 200
        assert (completion_tokens(gateway) or 0) == expected


async def test_what_goes_on_from_it_goes_to_its_model(tmp_path: Path, model: FakeModel) -> None:
    seen: list[str] = []

    async def tell(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return web.json_response({"id": "resp_1", "object": "response", "usage": USAGE})

    model.script = [tell]
    routes = {"even": {"backends": {"a": {"weight": 1}, "b": {"weight": 1}}}}
    async with running_gateway(tmp_path, config_for(model.url, routes=routes)) as gateway:
        async with gateway.post({"model": "a", "input": "hi"}, path=RESPONSES) as made:
            assert made.status == 200
        for _ in range(12):
            body = {"model": "even", "input": "more", "previous_response_id": "resp_1"}
            async with gateway.post(body, path=RESPONSES) as following:
                assert following.status == 200
    assert set(seen) == {"/models/a/v1/responses"}


async def test_a_model_that_was_withdrawn_since_is_not_reached_through_its_responses(
    tmp_path: Path, model: FakeModel
) -> None:
    model.script = [answer(body=response("completed", USAGE))]
    async with running_gateway(tmp_path, config_for(model.url), policy={"models": ["a", "b"]}) as gateway:
        following = {"model": "b", "input": "more", "previous_response_id": "resp_1"}
        async with gateway.post({"model": "a", "input": "hi"}, path=RESPONSES) as made:
            assert made.status == 200
        (key,) = gateway.keys.iterdir()
        key.write_text(json.dumps(json.loads(key.read_text()) | {"models": ["b"]}))
        await until(lambda: gateway.value("config_reloads_total", source="api_keys", result="ok") == 1)
        for asked in (gateway.get(f"{RESPONSES}/resp_1"), gateway.post(following, path=RESPONSES)):
            async with asked as refused:
                assert refused.status in {403, 404}
    assert len(model.seen) == 1
