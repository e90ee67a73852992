import json

import pytest

from serve_app.gateway.apis.errors import ApiError, error_body, normalise

PAGE = (
    b"<!DOCTYPE html><html><head><title>502</title><style>p{}</style></head><body><h1>Bad &amp; gone</h1></body></html>"
)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "m"}}',
        b'{"error":{"message":"m","type":"NotFoundError","param":null,"code":404}}',
        b' {"error": {"message": "", "type": "t", "param": "p", "code": "c"}, "more": 1}',
    ],
)
def test_what_has_the_shape_passes_unchanged(body: bytes) -> None:
    assert normalise(400, body) == body


@pytest.mark.parametrize(
    ("status", "body", "message", "kind"),
    [
        pytest.param(404, b'{"detail": "Not Found"}', "Not Found", "invalid_request_error", id="FastAPI"),
        pytest.param(
            422,
            b'{"detail": [{"loc": ["body", "n"], "msg": "too big"}, {"msg": "and odd"}]}',
            "body.n: too big; and odd",
            "invalid_request_error",
            id="FastAPI's validation",
        ),
        pytest.param(
            400, b'{"object": "error", "message": "bad", "code": 400}', "bad", "invalid_request_error", id="older vLLM"
        ),
        pytest.param(500, b'{"error": "out of memory"}', "out of memory", "server_error", id="error as text"),
        pytest.param(500, b'{"error": {"type": "x"}}', "Internal Server Error", "server_error", id="error, no message"),
        pytest.param(500, b"Internal Server Error", "Internal Server Error", "server_error", id="text"),
        pytest.param(502, PAGE, "Bad & gone", "server_error", id="HTML"),
        pytest.param(504, b"", "Gateway Timeout", "server_error", id="empty"),
        pytest.param(599, b"", "HTTP status 599", "server_error", id="empty, unknown status"),
        pytest.param(429, b'"slow down"', "slow down", "rate_limit_error", id="a JSON string"),
        pytest.param(400, b"{}", "Bad Request", "invalid_request_error", id="empty object"),
        pytest.param(400, b"\xff\xfe", "\ufffd\ufffd", "invalid_request_error", id="not text"),
    ],
)
def test_other_shapes_are_turned_into_it(status: int, body: bytes, message: str, kind: str) -> None:
    error = json.loads(normalise(status, body))["error"]
    assert error == {"message": message, "type": kind, "param": None, "code": None}


def test_param_and_code_are_kept_where_they_are_text() -> None:
    body = b'{"object": "error", "message": "m", "param": "n", "code": "c"}'
    error = json.loads(normalise(400, body))["error"]
    assert (error["param"], error["code"]) == ("n", "c")


def test_long_texts_are_cut() -> None:
    assert len(json.loads(normalise(500, b"x" * 5000))["error"]["message"]) == 1000


def test_an_error_of_ours() -> None:
    error = ApiError(404, "No such thing.", code="c", param="p")
    assert error.body() == error_body(404, "No such thing.", code="c", param="p")
    assert str(error) == "No such thing."
