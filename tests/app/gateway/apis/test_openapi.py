from serve_app.gateway.routing.catalog import APIS

from ..support import Gateway


async def test_the_document_has_all_paths(gateway: Gateway) -> None:
    async with gateway.get("/openapi.json") as response:
        document = await response.json()
    assert set(document["paths"]) == {*APIS, "/v1/models", "/v1/models/{name}", "/healthz", "/readyz"}
    responses = document["paths"]["/v1/completions"]["post"]["responses"]
    assert set(responses) == {"200", "400", "401", "404", "413", "502", "503", "504"}
