import json

import pytest

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.api.stream_errors import StreamError, stream_error

LOGPROBS = "Requested sample logprobs of 21, which is greater than max allowed: 20"
# What vLLM 0.29 sends once a stream of chat completions has begun.
SENT = {
    "Internal server error": ("InternalServerError", None, 500),
    f"{LOGPROBS} (parameter=logprobs, value=21)": ("BadRequestError", "logprobs", 400),
}


@pytest.mark.parametrize("shape", ["openai", "responses"])
@pytest.mark.parametrize("message", SENT)
def test_errors_of_vllm(message: str, shape: Shape) -> None:
    kind, param, code = SENT[message]
    sent = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    found = stream_error(json.dumps(sent).encode(), shape)
    assert found is not None
    assert found.status == code
    content = json.loads(found.event[found.event.index(b"data: ") + 6 :])
    assert content["error"] == {
        "message": message.partition(" (")[0],
        "type": "invalid_request_error" if code == 400 else "server_error",
        "param": param,
        "code": None,
    }


def test_errors_in_a_stream_of_messages() -> None:
    """vLLM makes it from the stream of a chat completion, and loses what the error in that one said."""
    message = (
        "2 validation errors for ChatCompletionStreamResponse\\nmodel\\n  Field required [type=missing, "
        "input_value={'error': {'message': 'Int...'code': 500}}, input_type=dict]"
    )
    data = b'{"type":"error","error":{"type":"internal_error","message":"%s"}}' % message.encode()
    error = {"type": "api_error", "message": "Internal Server Error"}
    expected = json.dumps({"type": "error", "error": error, "request_id": "r1"}, separators=(",", ":")).encode()
    assert stream_error(data, "anthropic", "r1") == StreamError(500, b"event: error\ndata: " + expected + b"\n\n")


@pytest.mark.parametrize("data", [b"[DONE]", b"", b'{"error": null}', b'{"id": "1"}', b'"error"'])
def test_what_is_no_error(data: bytes) -> None:
    assert stream_error(data, "openai") is None
