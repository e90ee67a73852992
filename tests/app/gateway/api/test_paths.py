import pytest

from serve_app.gateway.api.paths import Place, place_of

CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (CHAT, Place(CHAT)),
        (CHAT + "/", Place(CHAT)),
        ("//v1//chat/completions", Place(CHAT)),
        ("/v1/v1/chat/completions", Place(CHAT)),
        ("/chat/completions", Place(CHAT)),
        ("/models", Place("/models")),
        ("/v1/models/", Place("/v1/models")),
        ("/openai/deployments/gpt-4o/chat/completions", Place(CHAT, "gpt-4o")),
        ("/openai/deployments/gpt-4o/embeddings", Place("/v1/embeddings", "gpt-4o")),
        ("/openai/v1/chat/completions", Place(CHAT)),
        ("/rerank", Place("/rerank")),
        ("/", Place("/")),
        ("//", Place("/")),
        ("/nothing/chat/completions", Place("/nothing/chat/completions")),
        ("/v1/responses/resp_1", Place("/v1/responses/resp_1")),
    ],
)
def test_paths_as_clients_have_them(path: str, place: Place) -> None:
    assert place_of(path) == place
