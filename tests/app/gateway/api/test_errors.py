import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from serve_app.gateway.api.errors import ApiError, Shape, error_body, event
from serve_app.gateway.api.foreign_errors import normalise


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
    assert raised.value.body["error"]["type"] == "overloaded_error"  # type: ignore[index]


def test_an_error_event_of_the_responses_api_has_its_own_texts_too() -> None:
    name, data = ApiError(503, "It broke.", code="c").event("responses").splitlines()[:2]
    content = json.loads(data.removeprefix(b"data: "))
    assert (name, content["type"], content["message"], content["code"]) == (b"event: error", "error", "It broke.", "c")
