import pytest

from serve_app.gateway.api.errors import ApiError, Shape
from serve_app.gateway.api.table import APIS, CANCEL, RETRIEVE, find, response_id, shape_of


@pytest.mark.parametrize("path", APIS)
def test_fixed_paths(path: str) -> None:
    assert find("POST", path) is APIS[path]
    for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS"):
        with pytest.raises(ApiError) as refused:
            find(method, path)
        assert (refused.value.status, refused.value.headers) == (405, [(b"allow", b"POST")])


def test_paths_with_an_id() -> None:
    assert find("GET", "/v1/responses/resp_1") is RETRIEVE
    assert find("POST", "/v1/responses/resp_1/cancel") is CANCEL
    assert response_id("/v1/responses/resp_1") == response_id("/v1/responses/resp_1/cancel") == "resp_1"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/responses/resp_1", b"GET"),
        ("POST", "/v1/responses/resp_1", b"GET"),
        ("GET", "/v1/responses/resp_1/cancel", b"POST"),
    ],
)
def test_methods_that_paths_with_an_id_do_not_take(method: str, path: str, allow: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        find(method, path)
    assert (refused.value.status, refused.value.headers) == (405, [(b"allow", allow)])


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/v1/models",
        "/v1/chat",
        "/v1/chat/completions/",
        "/v1/responses/",
        "/v1/responses/resp_1/",
        "/v1/responses/resp_1/input_items",
        "/v1/responses/resp_1/cancel/more",
        "/v1/responses//cancel",
        "/v1/responses/..",
        "/v1/responses/../cancel",
        "/v1/responses/a b",
        "/v1/responses/a%2fb",
        "/v1/responses/a\n",
        "/v1/responses/a?b",
        "/v1/responses/" + "a" * 257,
    ],
)
def test_what_is_not_passed_to_models(path: str) -> None:
    assert find("GET", path) is None
    assert find("POST", path) is None


@pytest.mark.parametrize(
    ("path", "headers", "shape"),
    [
        ("/v1/messages", {}, "anthropic"),
        ("/v1/messages/count_tokens", {}, "anthropic"),
        ("/v1/chat/completions", {b"anthropic-version": b"2023-06-01"}, "openai"),
        ("/v1/responses", {}, "responses"),
        ("/v1/responses/resp_1", {}, "responses"),
        ("/v1/models", {}, "openai"),
        ("/v1/models", {b"anthropic-version": b"2023-06-01"}, "anthropic"),
        ("/nowhere", {b"anthropic-version": b"2023-06-01"}, "anthropic"),
    ],
)
def test_whose_shape_errors_have(path: str, headers: dict[bytes, bytes], shape: Shape) -> None:
    assert shape_of(path, headers) == shape
