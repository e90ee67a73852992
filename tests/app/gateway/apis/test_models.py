from ..support import Gateway, error_of


async def test_the_list_holds_models_and_routes(gateway: Gateway) -> None:
    async with gateway.get("/v1/models") as response:
        content = await response.json()
    created = content["data"][0]["created"]
    assert created > 1_700_000_000
    assert content == {
        "object": "list",
        "data": [
            {"id": "a", "object": "model", "created": created, "owned_by": "team"},
            {"id": "b", "object": "model", "created": created, "owned_by": "ray-vllm-stack"},
            {"id": "chat", "object": "model", "created": created, "owned_by": "team"},
        ],
    }


async def test_one_of_them(gateway: Gateway) -> None:
    async with gateway.get("/v1/models/chat") as response:
        assert (await response.json())["id"] == "chat"


async def test_none_of_them(gateway: Gateway) -> None:
    async with gateway.get("/v1/models/org/nix") as response:
        assert response.status == 404
        error = await error_of(response)
    assert (error["code"], "'org/nix'" in error["message"]) == ("model_not_found", True)
