import json
import re
import time
from typing import Any

import pytest

from serve_app.gateway.api.errors import Shape
from serve_app.gateway.api.foreign_errors import MAX_MESSAGE, normalise

from .samples import SAMPLES, fields, long_list

PAGE = (
    b"<!DOCTYPE html><html><head><title>502</title><style>p{}</style></head><body><h1>Bad &amp; gone</h1></body></html>"
)
UNKNOWN = "The model `x` does not exist."
# What vLLM said -> message (the server's own where it is None), param, code
TO_OPENAI: dict[str, tuple[str | None, str | None, str | None]] = {
    "chat max_tokens large": (None, "max_tokens", None),
    "chat stop 5": (
        "stop: Input should be a valid string; stop: List should have at most 4 items after validation, not 5",
        "stop",
        None,
    ),
    "chat temp": (None, "temperature", None),
    "chat unknown model": (UNKNOWN, "model", "model_not_found"),
    "tok model": (UNKNOWN, "model", "model_not_found"),
    "chat n": (None, None, None),
    "chat messages str": ("messages: Input should be a valid list", "messages", None),
    "chat badrole": (
        "messages[0].role: Input should be a valid string; messages[0].author: Field required; "
        "messages[0].content: Input should be a valid list (and 8 more errors)",
        "messages[0].role",
        None,
    ),
    "chat tools bad": ("tools[0].function: Field required", "tools[0].function", None),
    "chat stream_options": (None, "stream_options", None),
    "chat long": (None, None, "context_length_exceeded"),
    "chat longer chars": (None, None, "context_length_exceeded"),
    "compl exact": (None, None, "context_length_exceeded"),
    "compl tokens": (None, None, "context_length_exceeded"),
    "resp long": (None, "input", "context_length_exceeded"),
    "resp prev": ("Response with id 'resp_nope' not found.", "response_id", None),
    "GET /v1/responses/resp_nope": ("Response with id 'resp_nope' not found.", "response_id", None),
    "tokenize": ("prompt: Input should be a valid string; messages: Field required", "prompt", None),
}
TO_ANTHROPIC = {
    "msg no max": "max_tokens: Field required",
    "msg role ctx": "messages.0.role: Input should be 'user', 'assistant' or 'system'",
    "msg max_tokens": "max_tokens=100000 cannot be greater than max_model_len=max_total_tokens=2048. "
    "Please request fewer output tokens.",
    "claude srv tool": "tools.0.input_schema: Field required",
    "claude img": "sparrow is not a multimodal model",
    "claude effort": "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
    "claude doc": "messages.0.content.0.type: Input should be 'text', 'image', 'tool_use', 'tool_result', "
    "'tool_reference', 'thinking' or 'redacted_thinking'; messages.0.content: Input should be a valid string",
}


def words_of(message: str) -> str:
    """A message of vLLM, without what it appends for itself."""
    return re.sub(r" \(parameter=.*\)$", "", message)


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_every_refusal_of_vllm_has_exactly_the_shape(sample: Any) -> None:
    body = json.loads(normalise(sample.status, sample.body.encode(), sample.shape, "r1"))
    error = body["error"]
    assert 5 < len(error["message"]) <= MAX_MESSAGE
    if sample.shape == "anthropic":
        assert body.keys() == {"type", "error", "request_id"}
        assert error.keys() == {"type", "message"}
        assert error["type"] == ("not_found_error" if sample.status == 404 else "invalid_request_error")
    else:
        assert body.keys() == {"error"}
        assert error.keys() == {"message", "type", "param", "code"}
        assert error["type"] == "invalid_request_error"
        assert isinstance(error["code"], str | None)


@pytest.mark.parametrize("name", TO_OPENAI)
def test_refusals_of_vllm_for_openais_clients(name: str) -> None:
    sample = SAMPLES[name]
    message, param, code = TO_OPENAI[name]
    error = fields(normalise(sample.status, sample.body.encode(), sample.shape))
    assert (error["message"], error["param"], error["code"]) == (message or words_of(sample.message), param, code)


@pytest.mark.parametrize("name", TO_ANTHROPIC)
def test_refusals_of_vllm_for_anthropics_clients_name_the_field(name: str) -> None:
    sample = SAMPLES[name]
    assert fields(normalise(sample.status, sample.body.encode(), "anthropic"))["message"] == TO_ANTHROPIC[name]


@pytest.mark.parametrize("name", ["msg long", "msg long chars", "msg long stream", "count long"])
def test_anthropics_clients_find_the_words_for_a_prompt_that_is_too_long(name: str) -> None:
    sample = SAMPLES[name]
    message = fields(normalise(sample.status, sample.body.encode(), "anthropic"))["message"]
    assert message == f"prompt is too long: 2049 tokens > 2048 maximum ({words_of(sample.message)})"


def test_a_refusal_of_tools_names_the_keys_of_the_values() -> None:
    told = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
    body = json.dumps({"error": {"message": told, "type": "BadRequestError", "param": None, "code": 400}}).encode()
    keys = "models.<name>.engine.enable_auto_tool_choice, models.<name>.engine.tool_call_parser"
    for shape in ("openai", "anthropic"):
        assert fields(normalise(400, body, shape))["message"] == f"{told}. In the values of the chart: {keys}."
    assert fields(normalise(400, body, external=True))["message"] == told


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"m","type":"invalid_request_error","param":null,"code":null}}',
        b' {"error": {"message": "", "type": "insufficient_quota", "param": "p", "code": "c", "x": 1}, "more": 1}',
    ],
)
def test_what_has_the_shape_passes_unchanged(body: bytes) -> None:
    assert normalise(400, body) == body


def test_what_has_the_shape_and_a_page_of_text_is_shortened() -> None:
    body = json.dumps({"error": {"message": "x" * 5000, "type": "t", "param": "p", "code": "c"}}).encode()
    assert fields(normalise(400, body)) == {"message": "x" * 999 + "…", "type": "t", "param": "p", "code": "c"}


@pytest.mark.parametrize(
    ("status", "body", "message", "kind"),
    [
        pytest.param(404, b'{"detail": "Not Found"}', "Not Found", "invalid_request_error", id="FastAPI"),
        pytest.param(
            400, b'{"object": "error", "message": "bad", "code": 400}', "bad", "invalid_request_error", id="older vLLM"
        ),
        pytest.param(400, b'{"error": {"message": "m"}}', "m", "invalid_request_error", id="no type"),
        pytest.param(
            400,
            b'[{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}]',
            "m",
            "invalid_request_error",
            id="Google's",
        ),
        pytest.param(
            529,
            b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}',
            "m",
            "server_error",
            id="Anthropic",
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
    assert fields(normalise(status, body)) == {"message": message, "type": kind, "param": None, "code": None}


def test_fastapis_own_validation() -> None:
    body = b'{"detail": [{"loc": ["body", "n"], "msg": "too big", "type": "x"}, {"msg": "and odd"}]}'
    error = fields(normalise(422, body))
    assert (error["message"], error["param"]) == ("n: too big; and odd", "n")


def test_param_and_code_are_kept_where_they_are_text() -> None:
    body = b'{"object": "error", "message": "m", "param": "n", "code": "c"}'
    error = fields(normalise(400, body))
    assert (error["param"], error["code"]) == ("n", "c")


def test_a_code_in_digits_is_the_status_again() -> None:
    assert fields(normalise(400, b'{"error": {"message": "m", "code": "400"}}'))["code"] is None


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


@pytest.mark.parametrize(
    "body", [b'{"detail": [{"loc": 1, "msg": "m"}]}', b'{"error": {"message": 1}}', b"[" * 2000, b'{"message": "\\u12']
)
@pytest.mark.parametrize("shape", ["openai", "anthropic"])
def test_odd_errors_do_no_harm(body: bytes, shape: Shape) -> None:
    assert fields(normalise(400, body, shape))["message"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("responses-unknown-type", r"(input(\[0\]\.[a-z]+)?: [^;]+(; )?){3} \(and 234 more errors\)"),
        ("responses-no-detail", r"input\[0\]\.content\[0\]\.detail: Field required; .+; .+ \(and 240 more errors\)"),
    ],
)
def test_hundreds_of_errors_become_a_sentence(name: str, message: str) -> None:
    body = long_list(name)
    assert len(body) > 400_000
    for part in (body, body[:65536]):
        error = fields(normalise(400, part, "responses"))
        assert re.fullmatch(message, error["message"])
        assert (error["param"], error["code"]) == ("input", None)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"error":{"message":"' + b"(parameter=" * 90_000 + b'"}}', id="appended values"),
        pytest.param(b'{"message":"' + b"\\u00e9" * 170_000, id="escapes"),
        pytest.param(b"<html>" + b"<script" * 150_000, id="tags"),
        pytest.param(b'{"message":"1 validation error:' + b"\\n  {'type': 'x', 'loc': (" * 30_000 + b'"}', id="a list"),
        pytest.param(
            b'{"message":"' + b"maximum context length is 1 tokens. However, you " * 20_000 + b'"}', id="phrases"
        ),
        pytest.param(b'{"message":"' + b"--tool-call-parser " * 50_000 + b'"}', id="flags"),
    ],
)
def test_the_longest_errors_take_no_time(body: bytes) -> None:
    begin = time.process_time()
    normalise(400, body)
    assert time.process_time() - begin < 0.25
