import json
import time
from typing import Any

import pytest

from serve_app.gateway.exchange.usage import Usage
from serve_app.gateway.metering.reader import Reader
from serve_app.gateway.metering.usage import reader
from serve_app.gateway.metering.whole_answer import KEPT

from .samples import BY_NAME, in_bytes, in_twos, new_reader, read, sample

WHOLE = {
    "chat.json": Usage(6, 0, 4),
    "chat-cached.json": Usage(118, 384, 4),
    "chat-prompt-logprobs.json": Usage(6, 0, 1),
    "chat-echo.json": Usage(28, 0, 4),
    "completions-two-n2.json": Usage(2, 0, 12),
    "responses.json": Usage(6, 0, 3),
    "responses-background.json": None,
    "responses-cached.json": Usage(118, 384, 2),
    "messages.json": Usage(6, 0, 3),
    "messages-cached.json": Usage(118, 384, 3),
    "messages-created.json": Usage(602, 0, 3),
    "embeddings.json": Usage(1, 0, 0),
    "rerank.json": Usage(14, 0, 0),
    "score.json": Usage(13, 0, 0),
    "classify.json": Usage(1, 0, 0),
    "count_tokens.json": None,
    "tokenize.json": None,
}
OPENAI = {"prompt_tokens": 7, "total_tokens": 9, "completion_tokens": 2}
ANTHROPIC = {"input_tokens": 7, "output_tokens": 2}
RIGHT = Usage(7, 0, 2)
TRAP = {"usage": {"prompt_tokens": 1, "input_tokens": 1, "completion_tokens": 1, "output_tokens": 1}}
FLAT = json.dumps(TRAP, separators=(",", ":"))


def dumped(**answer: Any) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()


def usage_of(api: str, body: bytes, size: int = 1 << 16) -> Usage | None:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    passed, usage = read(reader(BY_NAME[api], event_stream=False), *pieces)
    assert passed == body
    return usage


@pytest.mark.parametrize(("name", "usage"), WHOLE.items())
def test_usage_of_real_answers_however_they_are_divided(name: str, usage: Usage | None) -> None:
    body = sample(name)
    for pieces in ((body,), in_bytes(body), *in_twos(body)):
        assert read(new_reader(name), *pieces) == (body, usage)


def test_pieces_are_passed_on_as_they_are() -> None:
    piece = sample("chat.json")
    answer = new_reader("chat.json")
    assert answer.feed(piece) is piece
    assert answer.end() == b""


@pytest.mark.parametrize(
    "text", [FLAT, f'"{FLAT}', "\\" + FLAT, "}" + FLAT + "{", '","usage":{"prompt_tokens":1},"x":"']
)
def test_text_that_looks_like_usage_is_not_counted(text: str) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": text}}
    choice = {"message": {"content": text, "tool_calls": [call]}}
    for body in (
        dumped(choices=[choice], usage=OPENAI),
        dumped(usage=OPENAI, choices=[choice]),
        dumped(choices=[choice], usage=OPENAI, prompt_text=text, kv_transfer_params=None),
    ):
        assert usage_of("chat_completions", body) == RIGHT
    assert usage_of("chat_completions", dumped(choices=[choice])) is None


def test_objects_of_the_same_name_deeper_in_the_answer_are_not_counted() -> None:
    use = {"type": "tool_use", "name": "f", "input": TRAP}
    assert usage_of("messages", dumped(content=[use], usage=ANTHROPIC)) == RIGHT
    assert usage_of("messages", dumped(content=[use])) is None
    tool = {"type": "function", "parameters": {"properties": TRAP}}
    for after in (None, [{"content": TRAP}]):
        body = dumped(tools=[tool], usage=ANTHROPIC, user=None, output_messages=after)
        assert usage_of("responses", body) == RIGHT
    assert usage_of("responses", dumped(tools=[tool], usage=None, output_messages=[TRAP])) is None


@pytest.mark.parametrize("size", [KEPT // 7, KEPT, 3 * KEPT, 100 * KEPT])
@pytest.mark.parametrize("before", [0, 10 * KEPT])
def test_usage_is_found_whatever_its_distance_from_the_end(size: int, before: int) -> None:
    for after in (0, KEPT - 100, KEPT, 2 * KEPT, 2 * KEPT + 1, 9 * KEPT):
        body = dumped(choices=[{"text": FLAT + "x" * before}], usage=OPENAI, prompt_text="y" * after + FLAT)
        assert usage_of("completions", body, size) == RIGHT


def test_a_key_is_found_wherever_a_long_answer_is_cut() -> None:
    for after in range(KEPT - 120, KEPT + 10):
        body = dumped(choices=["x" * 2 * KEPT], usage=OPENAI, prompt_text="y" * after)
        assert usage_of("completions", body, len(body)) == RIGHT, after


def test_of_an_answer_that_is_not_kept_only_objects_with_tokens_count() -> None:
    tool = {"parameters": {"usage": {"type": "string"}}}
    assert usage_of("rerank", dumped(usage=OPENAI, results=[tool, "x" * 5 * KEPT])) == RIGHT
    assert usage_of("responses", dumped(tools=[TRAP], output="x" * 5 * KEPT, usage=None, user=None)) is None


def test_what_is_kept_of_a_long_answer_is_bounded() -> None:
    answer = reader(BY_NAME["embeddings"], event_stream=False)
    for _ in range(100):
        answer.feed(b"0.25," * 20000)
        assert sum(map(len, answer._pieces)) <= 2 * KEPT  # type: ignore[attr-defined,arg-type]


def test_spaces_do_not_matter() -> None:
    body = json.dumps({"data": ["usage", {"usage": 1}], "usage": OPENAI}, indent=1).encode() + b"\n"
    assert usage_of("embeddings", body) == RIGHT


@pytest.mark.parametrize("cut", [1, 30, 60])
def test_an_answer_that_broke_off_has_no_usage(cut: int) -> None:
    assert usage_of("chat_completions", dumped(choices=[], usage=OPENAI)[:-cut]) is None


def test_an_answer_made_to_be_slow_is_read_fast() -> None:
    nested: object = [1] * (KEPT - 12000)
    for _ in range(900):
        nested = {"usage": {}, "n": nested}
    body = dumped(content=[{"input": nested}])
    begin = time.process_time()
    assert usage_of("messages", body) is None
    assert time.process_time() - begin < 0.1


def test_seconds_of_audio_are_no_tokens() -> None:
    body = dumped(text="Hello.", usage={"type": "duration", "seconds": 9})
    assert usage_of("transcriptions", body) == Usage(0, 0, 0)
    assert usage_of("translations", dumped(text="Hello.")) is None


def test_coheres_embeddings_report_in_meta() -> None:
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 7, "image_tokens": 0}}
    embeddings = {"float": [[0.25] * KEPT]}
    body = dumped(id="1", embeddings=embeddings, texts=['"meta":{'], meta=meta, response_type="embeddings_by_type")
    assert usage_of("embed", body) == Usage(7, 0, 0)


def test_vectors_as_bytes_report_in_a_header() -> None:
    header = json.dumps({"id": "1", "data": [{"index": 0}], "usage": {"prompt_tokens": 7, "total_tokens": 7}}).encode()
    answer = reader(BY_NAME["embeddings"], event_stream=False, metadata=header)
    assert read(answer, b"\0\1", b'"usage":{') == (b'\0\1"usage":{', Usage(7, 0, 0))
    broken = reader(BY_NAME["embeddings"], event_stream=False, metadata=b"{")
    assert read(broken, b"\0") == (b"\0", None)


@pytest.mark.parametrize("api", ["count_tokens", "tokenize", "detokenize", "responses_retrieve", "responses_cancel"])
def test_apis_that_take_no_tokens_are_not_read(api: str) -> None:
    for event_stream in (False, True):
        answer = reader(BY_NAME[api], event_stream=event_stream)
        assert type(answer) is Reader
        assert read(answer, dumped(usage=OPENAI)) == (dumped(usage=OPENAI), None)
