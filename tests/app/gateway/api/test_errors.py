import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from serve_app.gateway.api.errors import ApiError, Shape, error_body, event, normalise

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


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (408, "invalid_request_error"),
        (413, "request_too_large"),
        (415, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_an_error_of_ours_for_anthropics_clients(status: int, kind: str) -> None:
    error = ApiError(status, "No.", code="c", param="p")
    assert json.loads(error.body("anthropic", "r1")) == {
        "type": "error",
        "error": {"type": kind, "message": "No."},
        "request_id": "r1",
    }


def test_openais_two_apis_have_one_shape_of_errors() -> None:
    error = ApiError(404, "No.", code="c", param="p")
    assert error.body("responses") == error.body("openai") == error.body()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b'{"error":{"message":"m","type":"Bad Request","param":null,"code":400}}', "m", id="OpenAI's"),
        pytest.param(b'{"type":"error","error":{"type":"NotFoundError","message":"m"}}', "m", id="vLLM's"),
        pytest.param(b'{"detail":"Not Found"}', "Not Found", id="FastAPI's"),
        pytest.param(b"gone", "gone", id="text"),
    ],
)
def test_foreign_errors_for_anthropics_clients(body: bytes, message: str) -> None:
    assert json.loads(normalise(404, body, "anthropic", "r1")) == {
        "type": "error",
        "error": {"type": "not_found_error", "message": message},
        "request_id": "r1",
    }


def test_anthropics_own_errors_pass_unchanged() -> None:
    body = b'{"type": "error", "error": {"type": "overloaded_error", "message": "m"}, "request_id": "req_1"}'
    assert normalise(529, body, "anthropic") == body


@pytest.mark.parametrize("body", [b'{"detail": [{"loc": 1, "msg": "m"}]}', b'{"error": {"message": 1}}', b"[" * 2000])
@pytest.mark.parametrize("shape", ["openai", "anthropic"])
def test_odd_errors_do_no_harm(body: bytes, shape: Shape) -> None:
    assert json.loads(normalise(400, body, shape))["error"]["message"]


def streaming(content: bytes) -> httpx2.Client:
    """An HTTP client to which every server answers with this stream."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=content)

    return httpx2.Client(transport=httpx2.MockTransport(answer))


MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]
CHUNK = b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"a","choices":[]}\n\n'
PRETTY = b'{"error": {\n "message": "It broke.",\n "type": "server_error"}}'
EVENTS = [ApiError(503, "It broke.", code="c").event, lambda shape: event(normalise(503, PRETTY, shape), shape)]


def asked_of_openai(client: openai.OpenAI, shape: Shape) -> Iterator[object]:
    if shape == "openai":
        return iter(client.chat.completions.create(model="a", messages=MESSAGES, stream=True))
    return iter(client.responses.create(model="a", input="hi", stream=True))


@pytest.mark.parametrize("shape", ["openai", "responses"])
@pytest.mark.parametrize("told", EVENTS)
def test_openais_client_raises_an_error_in_a_stream(shape: Shape, told: Any) -> None:
    client = openai.OpenAI(api_key="k", base_url="http://m/v1", http_client=streaming(CHUNK + told(shape)))
    answer = asked_of_openai(client, shape)
    next(answer)
    with pytest.raises(openai.APIError, match=r"It broke\."):
        next(answer)


@pytest.mark.parametrize("told", EVENTS)
def test_anthropics_client_raises_an_error_in_a_stream(told: Any) -> None:
    start = b'event: message_start\ndata: {"type":"message_start","message":{"id":"1","content":[]}}\n\n'
    content = start + told("anthropic")
    client = anthropic.Anthropic(api_key="k", base_url="http://m", http_client=streaming(content))
    answer = iter(client.messages.create(model="a", max_tokens=1, messages=MESSAGES, stream=True))
    next(answer)
    with pytest.raises(anthropic.APIStatusError, match=r"It broke\.") as raised:
        next(answer)
    assert raised.value.body["error"]["type"] == "overloaded_error"  # type: ignore[index,call-overload]


def test_an_error_event_of_the_responses_api_has_its_own_texts_too() -> None:
    name, data = ApiError(503, "It broke.", code="c").event("responses").splitlines()[:2]
    content = json.loads(data.removeprefix(b"data: "))
    assert (name, content["type"], content["message"], content["code"]) == (b"event: error", "error", "It broke.", "c")
