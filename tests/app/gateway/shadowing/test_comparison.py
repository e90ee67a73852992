import json
from typing import Any

import pytest

from serve_app.gateway.routing.metrics import Comparison
from serve_app.gateway.shadowing.comparison import MOST_BYTES, KeptAnswer, compare, what_counts


def kept(body: bytes = b"", status: int = 200, complete: bool = True) -> KeptAnswer:
    answer = KeptAnswer()
    answer.feed(body)
    answer.status, answer.complete = status, complete
    return answer


def whole(content: Any) -> bytes:
    return json.dumps(content).encode()


def sse(*events: Any, end: bytes = b"\n\n") -> bytes:
    return b"".join(b"data: " + whole(event) + end for event in events)


def chat(text: str | None, identity: str = "1", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    return {
        "id": identity,
        "created": int(identity),
        "model": f"m{identity}",
        "choices": [choice],
        "usage": {"n": identity},
    }


def chunk(index: int = 0, **delta: Any) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": index, "delta": delta, "finish_reason": None}]}


def call(identity: str, arguments: str, index: int | None = None) -> dict[str, Any]:
    told = {"id": identity, "type": "function", "function": {"name": "f", "arguments": arguments}}
    return told if index is None else told | {"index": index}


SAME = {
    "chat, ids aside": (whole(chat("hi")), whole(chat("hi", "2"))),
    "chat, other whitespace": (whole(chat("é")), json.dumps(chat("é", "2"), indent=1, ensure_ascii=False).encode()),
    "chat, no text": (whole(chat(None)), whole(chat(None, "2"))),
    "tool calls, ids aside": (
        whole(chat(None, tool_calls=[call("a", "{}")])),
        whole(chat(None, tool_calls=[call("b", "{}")])),
    ),
    "stream, cut elsewhere": (
        sse(chunk(role="assistant"), chunk(content="one "), chunk(content="two")) + b"data: [DONE]\n\n",
        sse(chunk(role="assistant", content=""), chunk(content="o"), chunk(content="ne two"), end=b"\r\n\r\n"),
    ),
    "stream, choices in another order": (
        sse(chunk(0, content="a"), chunk(1, content="b"), chunk(0, content="A")),
        sse(chunk(1, content="b"), chunk(0, content="aA")),
    ),
    "stream, calls of tools": (
        sse(
            chunk(tool_calls=[call("a", '{"x"', 0)]), chunk(tool_calls=[{"index": 0, "function": {"arguments": ":1}"}}])
        ),
        sse(chunk(tool_calls=[call("b", '{"x":1}', 0)])),
    ),
    "stream, comments": (b": waiting\n\n" + sse(chunk(content="a")), sse(chunk(content="a"))),
    "completions": (whole({"id": "1", "choices": [{"text": "a"}]}), whole({"id": "2", "choices": [{"text": "a"}]})),
    "messages": (
        whole(
            {
                "id": "1",
                "content": [{"type": "text", "text": "a"}, {"type": "tool_use", "id": "1", "input": {"x": 1, "y": 2}}],
            }
        ),
        whole(
            {
                "id": "2",
                "content": [{"type": "text", "text": "a"}, {"type": "tool_use", "id": "2", "input": {"y": 2, "x": 1}}],
            }
        ),
    ),
    "messages, stream": (
        b"event: content_block_delta\n" + sse({"index": 0, "delta": {"type": "text_delta", "text": "ab"}}),
        sse({"index": 0, "delta": {"type": "text_delta", "text": "a"}}, {"index": 0, "delta": {"text": "b"}}),
    ),
    "responses": (
        whole({"id": "1", "output": [{"id": "a", "content": [{"type": "output_text", "text": "a"}]}]}),
        whole({"id": "2", "output": [{"id": "b", "content": [{"type": "output_text", "text": "a"}]}]}),
    ),
    "embeddings": (
        whole({"id": "1", "model": "a", "data": [{"index": 0, "embedding": [0.5, 1]}], "usage": {"prompt_tokens": 1}}),
        whole({"id": "2", "model": "b", "data": [{"index": 0, "embedding": [0.5, 1]}], "usage": {"prompt_tokens": 2}}),
    ),
    "plain text": (b"hello", b"hello"),
    "nothing": (b"", b""),
}
DIFFERENT = {
    "chat": (whole(chat("hi")), whole(chat("Hi"))),
    "reasoning": (whole(chat("hi", reasoning="a")), whole(chat("hi", reasoning="b"))),
    "arguments": (whole(chat(None, tool_calls=[call("a", "{}")])), whole(chat(None, tool_calls=[call("a", "[]")]))),
    "text or call": (whole(chat("f")), whole(chat(None, tool_calls=[call("a", "{}")]))),
    "stream": (sse(chunk(content="a"), chunk(content="b")), sse(chunk(content="ab"), chunk(content="c"))),
    "choice": (sse(chunk(0, content="a")), sse(chunk(1, content="a"))),
    "a stream's error": (sse(chunk(content="a")), sse(chunk(content="a"), {"error": {"message": "lost", "code": 500}})),
    "messages": (
        sse({"index": 0, "delta": {"text": "a"}}, {"index": 1, "delta": {"partial_json": "{}"}}),
        sse({"index": 0, "delta": {"text": "a"}}, {"index": 1, "delta": {"partial_json": "[]"}}),
    ),
    "embeddings": (whole({"data": [{"embedding": [0.5]}]}), whole({"data": [{"embedding": [0.25]}]})),
    "plain text": (b"hello", b"hallo"),
    "not quite JSON": (b'{"a": ', b'{"b": '),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same(name: str) -> None:
    primary, shadow = SAME[name]
    assert compare(kept(primary), kept(shadow)) is Comparison.SAME


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str) -> None:
    primary, shadow = DIFFERENT[name]
    assert compare(kept(primary), kept(shadow)) is Comparison.DIFFERENT


@pytest.mark.parametrize(
    ("primary", "shadow", "result"),
    [
        (kept(b"a"), kept(b"a", 500), Comparison.SHADOW_FAILED),
        (kept(b"a"), kept(b"a", 400), Comparison.SHADOW_FAILED),
        (kept(b"a"), kept(b"a", complete=False), Comparison.SHADOW_FAILED),
        (kept(b"a", 500), kept(b"a"), Comparison.PRIMARY_FAILED),
        (kept(b"a", complete=False), kept(b"a"), Comparison.PRIMARY_FAILED),
        (kept(b"", 0, complete=False), kept(b"a", 503), Comparison.PRIMARY_FAILED),
        (kept(b"a", 400), kept(b"b", 422), Comparison.SAME),
        (kept(b"a", 503), kept(b"b", 500), Comparison.SAME),
        (kept(b"a", 400), kept(b"a", 503), Comparison.DIFFERENT),
        (kept(b"a", 503), kept(b"a", 200, complete=False), Comparison.DIFFERENT),
    ],
)
def test_failures(primary: KeptAnswer, shadow: KeptAnswer, result: Comparison) -> None:
    assert compare(primary, shadow) is result


def test_what_is_too_long_is_neither_kept_nor_compared() -> None:
    longest, longer = kept(b"a" * MOST_BYTES), kept(b"a" * MOST_BYTES)
    longer.feed(b"a")
    assert compare(longest, longest) is Comparison.SAME
    assert compare(longest, longer) is compare(longer, longest) is Comparison.TOO_LONG
    assert longer.body == b""
    assert compare(longer, kept(b"", 500)) is Comparison.SHADOW_FAILED


def test_what_a_stream_said() -> None:
    body = sse(chunk(content="h"), chunk(reasoning="r"), chunk(content="i"))
    place = (None, "choices", 0, "delta")
    assert what_counts(body) == {(*place, "content"): "hi", (*place, "reasoning"): "r"}
